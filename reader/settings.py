"""What a reader checkpoint records beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise ReaderError(f"{path}: format {raw.get('format')!r} is not known (only {FORMAT}); update spanglot")
        given = raw["settings"]
        return settings_from(given if defaults is None else _filled(given, settings_json(defaults)))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReaderError(f"{path}: not a reader's settings ({error}); restore the file from where it came") from error


def settings_from(raw: Mapping[str, Any]) -> ReaderSettings:
    """Build settings from their JSON form; raise ValueError, TypeError or KeyError for anything else."""
    if raw["no_answer"] not in ("class", "null"):
        raise ValueError(f"no_answer is {raw['no_answer']!r}, neither 'class' nor 'null'")
    pair: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw["pair"].items()
    }
    plain = ReaderSettings(name=raw["name"], pair=PairFormat(**pair))
    return replace(
        plain,
        limits=WindowLimits(**raw["limits"]),
        no_answer=raw["no_answer"],
        use_titles=raw["use_titles"],
        beams=raw["beams"],
        max_answer_tokens=raw["max_answer_tokens"],
        calibration=Calibration.from_dict(raw["calibration"]),
        trained_on=tuple(raw["trained_on"]),
        languages=None if raw.get("languages") is None else LanguageIds(**raw["languages"]),
    )


def _filled(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ValueError(f"unknown setting {', '.join(unknown)}")
    merged = dict(defaults)
    for key, value in given.items():
        both = isinstance(value, Mapping) and isinstance(defaults[key], Mapping)
        merged[key] = {**defaults[key], **value} if both else value
    return merged


def settings_json(settings: ReaderSettings) -> dict[str, object]:
    """Return the JSON form that ``settings_from`` reads."""
    return asdict(settings)
