"""What a reader checkpoint records beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from reader.calibration import UNFITTED, Calibration
from reader.errors import ReaderError
from reader.windows import PairFormat, WindowLimits

SETTINGS_FILE = "reader.json"
FORMAT = 1

XLM_ROBERTA_PAIR = PairFormat(opening=(0,), between=(2, 2), after_title=(2,), closing=(2,), pad=1, cls_position=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """How a checkpoint wants to be asked and its logits to be read.

    ``no_answer`` names the no-answer score: ``class`` (the answer class logit) where answerability was trained, ``null``
    (the score of the CLS span) where it was not. ``trained_on`` lists the data sets that the weights have seen.
    """

    name: str
    pair: PairFormat
    limits: WindowLimits = WindowLimits()
    no_answer: Literal["class", "null"] = "class"
    use_titles: bool = False
    beams: int = 8
    max_answer_tokens: int = 30
    calibration: Calibration = UNFITTED
    trained_on: tuple[str, ...] = ()


def read_settings(path: Path) -> ReaderSettings:
    """Read ``reader.json``; an unknown format or a missing or mistyped setting is a ReaderError that names it."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise ReaderError(f"{path}: format {raw.get('format')!r} is not known (only {FORMAT}); update spanglot")
        return settings_from(raw["settings"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReaderError(f"{path}: not a reader's settings ({error}); restore the file from where it came") from error


def settings_from(raw: Mapping[str, Any]) -> ReaderSettings:
    """Build settings from their JSON form."""
    pair = {key: tuple(value) if isinstance(value, list) else value for key, value in raw["pair"].items()}
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
    )


def settings_json(settings: ReaderSettings) -> dict[str, object]:
    """Return the JSON form that ``settings_from`` reads."""
    return asdict(settings)
