"""The recipe of a training run, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reader.errors import ReaderError


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of questions, how many of them to draw (None: all), and how often each is seen."""

    file: str
    questions: int | None = None
    repeat: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How many questions of a language are kept for selection and calibration, by article."""

    english: int
    other_fraction: float
    other_most: int
    per_article: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides a training run, apart from the weights that it starts from.

    Training stops after ``tokens`` tokens, or when every window has been seen. ``negatives`` and ``titles`` are shares
    of the windows; ``lengths`` are the largest window sizes in tokens, drawn with ``length_weights``; ``warmup`` is a
    share of the run; the learning rates fall linearly to zero after it.
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


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; unknown, missing and mistyped settings are errors that name them."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReaderError(f"{path}: not a recipe ({error}); give TOML like reader/recipes/first.toml") from error
    try:
        sources = tuple(Source(**_known(Source, row)) for row in raw.pop("source", []))
        held_out = HeldOut(**_known(HeldOut, raw.pop("held_out", {})))
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in _known(Recipe, raw).items()}
        return Recipe(sources=sources, held_out=held_out, **settings)
    except TypeError as error:
        raise ReaderError(f"{path}: {error}; compare with reader/recipes/first.toml") from error


def _known(kind: type, row: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    unknown = sorted(set(row) - names)
    if unknown:
        raise TypeError(f"unknown setting {', '.join(unknown)}")
    return dict(row)
