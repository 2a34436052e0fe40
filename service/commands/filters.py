"""Filters as they are typed: ``--language``, ``--source`` and ``--where``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.errors import UsageError

if TYPE_CHECKING:
    from indexer import Condition, PassageFilter

LanguageOption = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="CODE", help="Only passages in this language; may be given several times."),
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="FILE", help="Only passages from this file; may be given several times."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only documents with this metadata: year=1990, kind=manual,guide, year>=1990 or year<=2000; "
        "of several, all must hold.",
    ),
]
_CONDITION = re.compile(r"(?P<name>[^<>=]+)(?P<sign>>=|<=|=)(?P<value>.*)", re.DOTALL)


def passage_filter(
    languages: Sequence[str] | None, sources: Sequence[str] | None, where: Sequence[str] | None
) -> PassageFilter:
    """Make a filter of what was typed; raise UsageError, naming it, for a condition that is none."""
    from indexer import PassageFilter

    return PassageFilter(
        languages=tuple(languages or ()), sources=tuple(sources or ()), metadata=tuple(map(_condition, where or ()))
    )


def _condition(text: str) -> Condition:
    from indexer import Condition

    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"--where {text!a} is no condition: write name=value, name>=value or name<=value")
    name, sign, value = match["name"].strip(), match["sign"], match["value"].strip()
    if sign == "=":
        return Condition(name=name, any_of=tuple(meant for part in value.split(",") for meant in _meanings(part)))
    bound = _number(value)
    limit = value if bound is None else bound
    return Condition(name=name, at_least=limit) if sign == ">=" else Condition(name=name, at_most=limit)


def _meanings(text: str) -> list[str | int | float | bool]:
    """Return the text, and the number or truth value that it may stand for as well."""
    if text in ("true", "false"):
        return [text, text == "true"]
    number = _number(text)
    return [text] if number is None else [text, number]


def _number(text: str) -> int | float | None:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text.strip()):
        return None
    try:
        number = json.loads(text)
    except ValueError:  # 007
        return None
    return number if isinstance(number, int | float) else None
