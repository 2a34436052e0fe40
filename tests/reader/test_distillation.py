"""Distillation: the losses by hand, a pupil that follows its teacher, and the recipe that asks for it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from reader.distillation import Distillation, soft_loss
from reader.errors import ReaderError
from reader.recipe import Teacher, read_recipe
from reader.training import Trainer, losses
from tests.reader.test_training import CPU, RECIPE, marked_windows, network


def test_the_divergence_by_hand() -> None:
    # The teacher says (3/4, 1/4), the student (1/2, 1/2): 3/4 ln(3/2) + 1/4 ln(1/2) = 0.130812.
    teacher, student = torch.tensor([[3.0, 1.0]]).log(), torch.zeros(1, 2)
    assert soft_loss(student, teacher, 1.0).item() == pytest.approx(0.130812, abs=1e-6)
    # At temperature 2 the same logits doubled are the same distributions, and the square of 2 is in front.
    assert soft_loss(2 * student, 2 * teacher, 2.0).item() == pytest.approx(4 * 0.130812, abs=1e-6)
    assert soft_loss(teacher, teacher, 3.0).item() == 0.0


def test_places_where_no_span_may_stand_cost_nothing() -> None:
    teacher, student = torch.tensor([[3.0, 1.0]]).log(), torch.zeros(1, 2)
    masked = torch.full((1, 1), -65500.0)
    both = torch.cat((student, masked), dim=1), torch.cat((teacher, masked), dim=1)
    assert soft_loss(*both, 1.0).item() == pytest.approx(0.130812, abs=1e-6)


def test_alpha_is_the_teachers_share() -> None:
    hard = torch.tensor([1.0, 2.0, 3.0])
    teacher, student = torch.tensor([[3.0, 1.0]]).log(), torch.zeros(1, 2)
    none, certain = torch.zeros(1), torch.tensor([3.0]).log()
    mixed = Distillation(network(), 1.0, 0.25).mix(hard, (student, teacher, none), (teacher, teacher, certain))
    expected = [0.75 + 0.25 * 0.130812, 1.5, 2.25 + 0.25 * 0.130812]
    assert mixed.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_pupil_of_its_teacher_alone_comes_to_say_what_it_says(tmp_path: Path) -> None:
    windows = marked_windows(1_000)
    teacher = network()
    Trainer(teacher, RECIPE, CPU, tmp_path / "teacher").run(windows)
    # The pupil is shown wrong answers, and learns from the teacher only.
    wrong = [replace(window, start=4, end=4) for window in windows]
    lessons = Distillation(teacher, 2.0, 1.0)
    pupil = network()
    before = losses(pupil, wrong[:64], CPU, lessons)
    Trainer(pupil, RECIPE, CPU, tmp_path / "pupil", lessons).run(wrong)
    after = losses(pupil, wrong[:64], CPU, lessons)
    assert (after[[0, 2]] < 0.5 * before[[0, 2]]).all()
    assert not any(parameter.grad is not None for parameter in teacher.eval().parameters() if parameter.requires_grad)


def test_a_recipe_names_its_teacher(tmp_path: Path) -> None:
    first = Path(__file__).parents[2] / "reader" / "recipes" / "first.toml"
    path = tmp_path / "recipe.toml"
    path.write_text(first.read_text("utf-8") + '\n[teacher]\nreader = "~/big"\nalpha = 0.7\n', "utf-8")
    assert read_recipe(path).teacher == Teacher(reader="~/big", temperature=2.0, alpha=0.7)
    path.write_text(first.read_text("utf-8") + "\n[teacher]\nalpha = 0.7\n", "utf-8")
    with pytest.raises(ReaderError, match="reader"):
        read_recipe(path)
