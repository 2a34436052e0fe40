from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig

from encoder import Compute
from reader.errors import ReaderError
from reader.examples import TrainingWindow
from reader.network import ReaderNetwork, new_network
from reader.recipe import HeldOut, Recipe
from reader.training import LOG_FILE, Trainer, _schedule, plan_batches, read_log

CPU = Compute(torch.device("cpu"), torch.float32)
RECIPE = Recipe(
    seed=2,
    tokens=100_000,
    learning_rate=3e-3,
    head_learning_rate=3e-3,
    weight_decay=0.0,
    warmup=0.1,
    batch_tokens=256,
    frozen_layers=1,
    negatives=0.0,
    titles=0.0,
    lengths=(16,),
    length_weights=(1.0,),
    question_tokens=8,
    held_out=HeldOut(english=0, other_fraction=0.0, other_most=0, per_article=1),
    sources=(),
)


def network() -> ReaderNetwork:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=32,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=1,
    )
    fresh = ReaderNetwork(config)
    return new_network(config, fresh.transformer.state_dict(), seed=1)


def marked_windows(count: int) -> list[TrainingWindow]:
    """Windows whose answer is the two tokens after token 5; those without a 5 do not answer."""
    drawn = np.random.default_rng(7)
    windows = []
    for place in range(count):
        passage = drawn.integers(6, 32, size=10)
        if place % 4 == 0:
            start = end = 0
        else:
            mark = int(drawn.integers(0, 7))
            passage[mark] = 5
            start, end = 5 + mark, 6 + mark
        ids = np.array([0, 9, 9, 2, *passage, 2], dtype=np.int32)
        windows.append(TrainingWindow(ids, 4, start, end))
    return windows


def test_the_plan_shows_every_window_once_in_batches_of_the_budget() -> None:
    plan = plan_batches([10, 20, 30, 10], replace(RECIPE, batch_tokens=40))
    assert sorted(i for batch in plan for i in batch) == [0, 1, 2, 3]
    assert sorted(map(sorted, plan)) == [[0, 3], [1], [2]] or sorted(map(sorted, plan)) == [[0, 1], [2], [3]]
    assert plan == plan_batches([10, 20, 30, 10], replace(RECIPE, batch_tokens=40))


def test_the_plan_ends_with_the_batch_that_reaches_the_tokens() -> None:
    plan = plan_batches([16] * 100, replace(RECIPE, batch_tokens=32, tokens=100))
    assert [len(batch) for batch in plan] == [2, 2, 2, 2]


def test_training_learns_a_rule_and_leaves_frozen_weights_alone(tmp_path: Path) -> None:
    trained = network()
    before = {name: p.detach().clone() for name, p in trained.named_parameters()}
    windows = marked_windows(4_000)
    end = Trainer(trained, RECIPE, CPU, tmp_path).run(windows)
    assert end.step == end.steps == len(plan_batches([15] * 4_000, RECIPE))
    assert end.tokens == 4_000 * 15
    # Guessing among the eleven places costs ln 11 = 2.4, and knowing the share of unanswered windows 0.56.
    assert end.start_loss < 1.2
    assert end.class_loss < 0.3
    changed = {name for name, p in trained.named_parameters() if not torch.equal(p.detach(), before[name])}
    assert not any("embeddings" in name or "layer.0." in name for name in changed)
    assert any("layer.1." in name for name in changed)
    assert any("qa_outputs" in name for name in changed)


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_where_it_was_saved_and_ends_the_same(tmp_path: Path) -> None:
    windows = marked_windows(160)
    whole, resumed = network(), network()
    Trainer(whole, RECIPE, CPU, tmp_path / "whole").run(windows)

    steps = []

    def stop_at_9(now: object) -> None:
        steps.append(now)
        if len(steps) == 9:
            raise Killed

    with pytest.raises(Killed):
        Trainer(resumed, RECIPE, CPU, tmp_path / "killed").run(windows, save_every=0.0, progress=stop_at_9)
    again = network()
    end = Trainer(again, RECIPE, CPU, tmp_path / "killed").run(windows, progress=steps.append)
    assert len(steps) == 9 + (end.steps - 8)  # the ninth step was not saved, and is done again
    for name, parameter in again.named_parameters():
        torch.testing.assert_close(parameter, dict(whole.named_parameters())[name], rtol=1e-5, atol=1e-6)


def test_a_state_of_another_recipe_is_refused_by_name(tmp_path: Path) -> None:
    windows = marked_windows(40)
    Trainer(network(), RECIPE, CPU, tmp_path).run(windows)
    with pytest.raises(ReaderError, match=r"state\.pt belongs to another recipe"):
        Trainer(network(), replace(RECIPE, seed=3), CPU, tmp_path).run(windows)


def test_the_log_is_read_and_a_run_begun_anew_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    windows = marked_windows(40)
    end = Trainer(network(), RECIPE, CPU, tmp_path).run(windows, save_every=0.0)
    first = read_log(tmp_path / LOG_FILE)
    assert [row.step for row in first] == list(range(1, end.steps + 1))
    assert first[-1] == end
    (tmp_path / "state.pt").unlink()
    Trainer(network(), RECIPE, CPU, tmp_path).run(windows)
    assert [row.step for row in read_log(tmp_path / LOG_FILE)] == [end.steps]
    with (tmp_path / LOG_FILE).open("a", encoding="utf-8") as log:
        log.write('{"step": 3')
    with pytest.raises(ReaderError, match=rf"log\.jsonl, line {end.steps + 2}: not a row of the log"):
        read_log(tmp_path / LOG_FILE)


def test_the_rate_rises_then_falls_to_its_share() -> None:
    run = replace(RECIPE, warmup=0.2, final_rate=0.5)
    assert [_schedule(step, 10, run) for step in (0, 1, 2, 6)] == [0.5, 1.0, 1.0, 0.75]
    assert _schedule(9, 10, run) == pytest.approx(0.5 + 0.5 / 8)
    assert _schedule(9, 10, replace(run, final_rate=0.0)) == pytest.approx(1 / 8)
