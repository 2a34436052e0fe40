"""Where commands write: results to stdout, progress and notices to stderr, both safe for any text."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def results() -> Console:
    """Return the console for results; plain lines of any width where stdout is no terminal."""
    return _console(stderr=False)


def notices() -> Console:
    """Return the console for progress and notices."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, soft_wrap=not stream.isatty(), legacy_windows=False
    )


def is_styled(console: Console) -> bool:
    """Say whether marks can be shown as colour and weight; where not, they are written as brackets."""
    return console.is_terminal and not console.is_dumb_terminal


def write_json(value: Any) -> None:
    """Write one JSON object to stdout, in the script of the text where stdout can carry it."""
    encoding = (sys.stdout.encoding if sys.stdout.encoding is not None else "ascii").lower().replace("-", "")
    text = json.dumps(value, ensure_ascii=encoding not in {"utf8", "utf8sig"}, allow_nan=False, indent=2)
    sys.stdout.write(text + "\n")


def printable(text: str) -> str:
    """Return the text with control characters made visible, so that a document cannot steer the terminal."""
    return "".join(
        character if character in "\n\t" or unicodedata.category(character) != "Cc" else _visible(character)
        for character in text
    )


def one_line(text: str) -> str:
    """Return the text, made printable, on one line."""
    return " ".join(printable(text).split())


def _visible(character: str) -> str:
    code = ord(character)
    # The pictures of the C0 controls stand at U+2400; C1 controls have none.
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
