"""The recipe of a training run, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from reader.errors import ReaderError

_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
_TABLES = ("held_out", "sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of questions, how many of them to draw (None: all), and how often each is seen.

    ``switched`` is the share of its windows whose English words are replaced by other languages' (see
    ``reader.code_switching``). Of a source that is not ``held_out`` no question is kept for selection and calibration.
    """

    file: str
    questions: int | None = None
    repeat: int = 1
    switched: float = 0.0
    held_out: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What is kept for selection and calibration: questions of each language by article, and whole files."""

    english: int
    other_fraction: float
    other_most: int
    per_article: int
    files: tuple[str, ...] = ()

    @property
    def pools(self) -> dict[str, str]:
        """The files that are held out whole, by their names up to a dot."""
        return {Path(file).name.partition(".")[0]: file for file in self.files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """A reader directory to learn from, the temperature of its logits, and ``alpha``, its share of the loss."""

    reader: str
    temperature: float = 2.0
    alpha: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides a training run, apart from the weights that it starts from.

    Training stops after ``tokens`` tokens, or when every window has been seen. ``negatives`` and ``titles`` are shares
    of the windows; ``lengths`` are the largest window sizes in tokens, drawn with ``length_weights``; ``warmup`` is a
    share of the run; after it the learning rates fall linearly to the share ``final_rate`` of their peak. A share
    ``retrieved_negatives`` of the questions is shown with a passage that a search finds for it and that does not
    answer it, in any language. With a ``teacher`` the reader learns from its logits too.
    """

    seed: int
    tokens: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float
    warmup: float
    batch_tokens: int
    frozen_layers: int
    negatives: float
    titles: float
    lengths: tuple[int, ...]
    length_weights: tuple[float, ...]
    question_tokens: int
    held_out: HeldOut
    sources: tuple[Source, ...]
    final_rate: float = 0.0
    retrieved_negatives: float = 0.0
    teacher: Teacher | None = None


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; unknown, missing and mistyped settings are errors that name them."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReaderError(f"{path}: not a recipe ({error}); give TOML like reader/recipes/first.toml") from error
    try:
        sources = tuple(Source(**_known(Source, row)) for row in raw.pop("source", []))
        held_out = HeldOut(**_known(HeldOut, raw.pop("held_out", {})))
        teacher = Teacher(**_known(Teacher, raw.pop("teacher"))) if "teacher" in raw else None
        missing = sorted({field.name for field in fields(Recipe) if field.default is MISSING} - {*raw, *_TABLES})
        if missing:
            raise TypeError(f"{', '.join(missing)} missing")
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in _known(Recipe, raw).items()}
        recipe = Recipe(sources=sources, held_out=held_out, teacher=teacher, **settings)
        if not recipe.lengths or len(recipe.lengths) != len(recipe.length_weights):
            raise TypeError("lengths needs as many length_weights")
        return recipe
    except TypeError as error:
        raise ReaderError(f"{path}: {error}; compare with reader/recipes/first.toml") from error


def _known(kind: type, row: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise TypeError(f"{row!r:.60} stands where a table of settings belongs")
    types = {field.name: str(field.type) for field in fields(kind)}
    unknown = sorted(set(row) - set(types))
    if unknown:
        raise TypeError(f"unknown setting {', '.join(unknown)}")
    for name, value in row.items():
        if not _fits(value, types[name]):
            raise TypeError(f"{name} is {value!r:.60}, not {types[name]}")
    return dict(row)


def _fits(value: object, annotation: str) -> bool:
    """Tell whether a value of TOML is what a field of a recipe says in its annotation."""
    if annotation.startswith("tuple["):
        item = annotation.removeprefix("tuple[").removesuffix(", ...]")
        return isinstance(value, list) and all(_fits(each, item) for each in value)
    kind = annotation.removesuffix(" | None")
    return isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
