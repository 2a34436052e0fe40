"""The whole of a training run: recipe and data in, a reader directory out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.base import WEIGHTS_FILE, base_model_directory, base_weights
from encoder.compute import choose_compute
from encoder.tokenization import load_tokenizer
from reader.checkpoint import load_network, save_reader
from reader.errors import ReaderError
from reader.examples import WindowMaker, split_sources
from reader.negatives import Nearest
from reader.recipe import Recipe, Teacher, read_recipe
from reader.settings import SETTINGS_FILE, XLM_ROBERTA_PAIR, ReaderSettings, read_settings

if TYPE_CHECKING:
    import torch

    from reader.distillation import Distillation
    from reader.network import ReaderNetwork
    from reader.training import TrainingProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """What a finished run did."""

    directory: Path
    windows: int
    tokens: int
    seconds: float
    loss: float


def default_recipe() -> Path:
    """Return the recipe of the first stage of the reader that ships with Spanglot."""
    return Path(__file__).parent / "recipes" / "first.toml"


def fine_tune(
    recipe_path: Path,
    data: Path,
    directory: Path,
    *,
    name: str,
    start: Path | None = None,
    device: str = "auto",
    nearest: Nearest | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Callable[[TrainingProgress], None] = lambda now: None,
) -> TrainingReport:
    """Train a reader by a recipe on the files below ``data``, into ``directory``.

    Training starts from the reader in ``start``, or else from the base encoder under a fresh head. Run again after an
    interruption, it goes on from the last saved state (in ``directory/run``). ``nearest`` finds the passages of
    retrieved negatives where the recipe asks for them. The reader has no fitted calibration yet. Raise ReaderError for
    a recipe, and CorpusError for data, that cannot be used.
    """
    from reader.training import Trainer

    recipe = read_recipe(recipe_path)
    if not data.is_dir():
        raise ReaderError(f"{data}: no such directory; give the one that holds the recipe's files")
    known = () if start is None else read_settings(start / SETTINGS_FILE).trained_on
    split = split_sources(recipe, data, say)
    tokenizer = load_tokenizer(base_model_directory())
    tokenizer.encode_special_tokens = True
    windows = WindowMaker(tokenizer, recipe, nearest).windows(split.train, say)
    if not windows:
        raise ReaderError(f"{recipe_path}: its sources give nothing to train on; add a [[source]] with questions")
    say(f"{len(windows):,} windows, {sum(len(window.ids) for window in windows):,} tokens")
    network = fresh_network(recipe) if start is None else load_network(start)
    distillation = None if recipe.teacher is None else _distillation(recipe.teacher)
    trainer = Trainer(network, recipe, choose_compute(device), directory / "run", distillation)
    done = trainer.run(windows, progress=progress)
    save_reader(directory, settings_of(recipe, name, known), trained_tensors(network, start))
    return TrainingReport(
        directory=directory, windows=len(windows), tokens=done.tokens, seconds=done.seconds, loss=done.loss
    )


def _distillation(teacher: Teacher) -> Distillation:
    """Load the reader that a recipe names as its teacher; it must read the windows of its pupil."""
    from reader.distillation import Distillation

    directory = Path(teacher.reader).expanduser()
    if read_settings(directory / SETTINGS_FILE).pair != XLM_ROBERTA_PAIR:
        raise ReaderError(f"{directory}: a teacher must read the windows of its pupil; give a reader made by Spanglot")
    return Distillation(load_network(directory), teacher.temperature, teacher.alpha)


def fresh_network(recipe: Recipe) -> ReaderNetwork:
    """Build the network that a run starts from: the base encoder and a random head, seeded by the recipe."""
    from transformers import BertConfig

    from reader.network import new_network

    base = base_model_directory()
    config = BertConfig.from_pretrained(base, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return new_network(config, base_weights(), seed=recipe.seed)


def trained_tensors(network: ReaderNetwork, start: Path | None = None) -> dict[str, torch.Tensor]:
    """Return what training changed: every parameter that was not frozen, in this run or in that of ``start``."""
    from safetensors import safe_open

    before: set[str] = set()
    if start is not None:
        with safe_open(start / WEIGHTS_FILE, framework="pt") as weights:
            before = set(weights.keys())
    return {name: p for name, p in network.named_parameters() if p.requires_grad or name in before}


def settings_of(recipe: Recipe, name: str, known: tuple[str, ...] = ()) -> ReaderSettings:
    """Return the settings of a reader trained by a recipe, not yet calibrated, after the data sets ``known``."""
    return ReaderSettings(
        name=name,
        pair=XLM_ROBERTA_PAIR,
        no_answer="class",
        trained_on=tuple(dict.fromkeys((*known, *(source.file.split(".")[0] for source in recipe.sources)))),
    )
