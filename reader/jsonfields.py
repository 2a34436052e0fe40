"""JSON objects of other people's files, read field by field; what is wrong with one is a RowError that says where."""

from __future__ import annotations

import json
from collections.abc import Iterator

from corpora.errors import RowError


def shown(value: object) -> str:
    """Write a value of the user's in a message, cut to 60 characters."""
    return "nothing" if value is None else f"{value!r:.60}"


def parse_json(data: bytes, source: str, line: int | None) -> object:
    """Decode UTF-8 JSON (a byte order mark is skipped); ``line`` is None where the whole file is one value."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RowError(source, line, f"not UTF-8 (byte {error.start}); save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        number = error.lineno if line is None else line
        raise RowError(source, number, f"not valid JSON at column {error.colno} ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise RowError(source, line, "JSON with a number too long or brackets too deep to read") from error


class Fields:
    """One JSON object whose fields are asked for by name and type.

    ``place`` is the path to the object inside its line or file (``data[0].paragraphs[3]``), empty at the top.
    """

    def __init__(self, value: object, source: str, line: int | None, place: str = "") -> None:
        self._source = source
        self._line = line
        self._place = place
        if not isinstance(value, dict):
            raise self.error(f"expected a JSON object, found {shown(value)}")
        self._values = value

    def error(self, reason: str) -> RowError:
        """Make the error that names this object's place."""
        return RowError(self._source, self._line, f"{self._place}: {reason}" if self._place else reason)

    def is_true(self, name: str) -> bool:
        """Say whether a field is there and ``true``."""
        return self._values.get(name) is True

    def text(self, name: str) -> str:
        """Return a field that must be a string with something in it, as it is written."""
        value = self.optional_text(name)
        if value is None or not value.strip():
            raise self.error(f'"{name}" must be a string that is not empty, found {shown(value)}')
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string field as it is written, or None where it is missing or null."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.error(f'"{name}" must be a string, found {shown(value)}')
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.error(f'"{name}" holds a lone surrogate, which is no character; remove it') from None
        return value

    def offset(self, name: str) -> int:
        """Return a field that must be a whole number, 0 or more."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.error(f'"{name}" must be a whole number from 0, found {shown(value)}')
        return value

    def rows(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a field that must be a list of them."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise self.error(f'"{name}" must be a list, found {shown(value)}')
        prefix = f"{self._place}." if self._place else ""
        for position, item in enumerate(value):
            yield Fields(item, self._source, self._line, f"{prefix}{name}[{position}]")
