"""What a reader checkpoint records beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from reader.calibration import UNFITTED, Calibration
from reader.errors import ReaderError
from reader.languages import LanguageIds
from reader.windows import DEFAULT_LIMITS, PairFormat, WindowLimits

SETTINGS_FILE = "reader.json"
FORMAT = 1

XLM_ROBERTA_PAIR = PairFormat(opening=(0,), between=(2, 2), after_title=(2,), closing=(2,), pad=1, cls_position=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """How a checkpoint wants to be asked and its logits to be read.

    ``no_answer`` names the no-answer score: ``class`` (the answer class logit) where answerability was trained,
    ``null`` (the score of the CLS span) where it was not. ``trained_on`` lists the data sets that the weights have
    seen. ``languages`` is None for a checkpoint without language embeddings.
    """

    name: str
    pair: PairFormat
    limits: WindowLimits = DEFAULT_LIMITS
    no_answer: Literal["class", "null"] = "class"
    use_titles: bool = False
    beams: int = 8
    max_answer_tokens: int = 30
    calibration: Calibration = UNFITTED
    trained_on: tuple[str, ...] = ()
    languages: LanguageIds | None = None


def read_settings(path: Path, defaults: ReaderSettings | None = None) -> ReaderSettings:
    """Read ``reader.json``; an unknown format or a missing or mistyped setting is a ReaderError that names it.

    With ``defaults`` the file need only hold the settings that differ from them.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise TypeError("no JSON object")
        if raw.get("format") != FORMAT:
            raise ReaderError(f"{path}: format {raw.get('format')!r} is not known (only {FORMAT}); update spanglot")
        given = raw["settings"]
        return settings_from(given if defaults is None else _filled(given, settings_json(defaults)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReaderError(f"{path}: not a reader's settings ({error}); restore the file from where it came") from error


def settings_from(raw: Mapping[str, Any]) -> ReaderSettings:
    """Build settings from their JSON form; raise one of Python's errors of value, type or key for anything else."""
    if raw["no_answer"] not in ("class", "null"):
        raise ValueError(f"no_answer is {raw['no_answer']!r}, neither 'class' nor 'null'")
    if not isinstance(raw["use_titles"], bool):
        raise TypeError(f"use_titles is {raw['use_titles']!r}, neither true nor false")
    return ReaderSettings(
        name=str(raw["name"]),
        pair=PairFormat(**{name: _token_ids(name, value) for name, value in raw["pair"].items()}),
        limits=WindowLimits(**{name: _whole(name, value) for name, value in raw["limits"].items()}),
        no_answer=raw["no_answer"],
        use_titles=raw["use_titles"],
        beams=_whole("beams", raw["beams"], least=1),
        max_answer_tokens=_whole("max_answer_tokens", raw["max_answer_tokens"], least=1),
        calibration=Calibration.from_dict(raw["calibration"]),
        trained_on=tuple(raw["trained_on"]),
        languages=None if raw.get("languages") is None else LanguageIds(**raw["languages"]),
    )


def _whole(name: str, value: object, *, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise TypeError(f"{name} is {value!r}, not a whole number from {least}")
    return value


def _token_ids(name: str, value: object) -> Any:
    """Check a field of the pair format: token ids or one of them, or no position for CLS."""
    if isinstance(value, list | tuple):
        if name == "token_types" and len(value) not in (0, 2):
            raise TypeError(f"token_types is {value!r}, not two token types or none")
        return tuple(_whole(name, number) for number in value)
    return None if value is None and name == "cls_position" else _whole(name, value)


def _filled(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ValueError(f"unknown setting {', '.join(unknown)}")
    merged = dict(defaults)
    for key, value in given.items():
        both = isinstance(value, Mapping) and isinstance(defaults[key], Mapping)
        merged[key] = {**defaults[key], **value} if both else value
    return merged


def default_limits(positions: int | None) -> WindowLimits:
    """Return the default sizes for a model of that many positions; None is a model without a limit."""
    window = DEFAULT_LIMITS.window if positions is None else min(DEFAULT_LIMITS.window, positions)
    return WindowLimits(window=window, question=min(DEFAULT_LIMITS.question, window // 3))


def recorded_settings(directory: Path, defaults: ReaderSettings, positions: int | None) -> ReaderSettings:
    """Return the defaults with what ``reader.json`` beside a transformers checkpoint changes, if it is there.

    A window that is longer than the model's positions is a ReaderError.
    """
    recorded = directory / SETTINGS_FILE
    settings = read_settings(recorded, defaults=defaults) if recorded.is_file() else defaults
    if positions is not None and settings.limits.window > positions:
        raise ReaderError(
            f"{recorded}: a window of {settings.limits.window} tokens is longer than the model's "
            f"{positions} positions; record a smaller one"
        )
    return settings


def settings_json(settings: ReaderSettings) -> dict[str, object]:
    """Return the JSON form that ``settings_from`` reads."""
    return asdict(settings)
