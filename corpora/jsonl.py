"""JSONL corpora: one JSON object a line, with the fields of BEIR or our own."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NoReturn

from corpora.documents import NO_METADATA, Document
from corpora.errors import RowError
from corpora.languages import canonical_language, detect_language
from corpora.sources import ByteStream, Row, SourceFile, is_encodable, open_file, refuse_utf16

MAX_LINE_BYTES = 200 * 2**20
MAX_METADATA_DEPTH = 100
"""Deeper metadata could be read here, and then be too deep for those that write and read them later."""

_BOM = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_jsonl(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the rows of a JSONL file, one line in memory at a time."""
    with open_file(file) as stream:
        yield from parse_jsonl(stream, file)


def parse_jsonl(
    stream: ByteStream, file: SourceFile, *, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[Row | RowError]:
    """Yield a row for each good line, a RowError for each bad one, and one RowError where there is no row at all.

    Fields: ``text`` (required), ``id`` or ``_id`` (a string or a number; else ``file#L<line>``), ``title``,
    ``language`` (BCP 47; else detected) and ``metadata`` (an object); others are ignored. Blank lines are skipped.
    """
    empty = True
    for number, line in _lines(stream, max_line_bytes):
        if number == 1 and line is not None:
            refuse_utf16(line, file)
        if line is None:
            reason = f"is longer than {max_line_bytes:,} bytes: split the document"
            yield RowError(file.shown, number, reason)
        elif line.strip():
            yield _row(line, file, number)
        else:
            continue
        empty = False
    if empty:
        yield RowError(file.shown, None, "holds no rows")


def _lines(stream: ByteStream, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Number the lines from 1; None stands for a line over the limit, of which no more than that is ever held."""
    number = 0
    while line := stream.readline(limit + 2):
        number += 1
        if len(line.rstrip(b"\r\n")) > limit:
            while not line.endswith(b"\n") and (line := stream.readline(2**20)):
                pass
            yield number, None
        else:
            line = line.rstrip(b"\r\n")
            yield number, line.removeprefix(_BOM) if number == 1 else line


def _row(line: bytes, file: SourceFile, number: int) -> Row | RowError:
    try:
        document = _document(_parse(line), file, number)
    except ValueError as problem:
        return RowError(file.shown, number, str(problem))
    return Row(document=document, line=number)


def _parse(line: bytes) -> dict[str, object]:
    try:
        row = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte 0x{line[error.start]:02x} at byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON: {error.msg.removesuffix(' at')} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError("is not a JSON object")
    if _SURROGATE_ESCAPE.search(line) and not is_encodable(json.dumps(row, ensure_ascii=False)):
        raise ValueError("holds an escape for half of a surrogate pair, which is not text")
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"holds {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"holds the number {digits[:40]}, which is too large")
    return number


def _document(row: dict[str, object], file: SourceFile, number: int) -> Document:
    text = row.get("text")
    if text is None:
        raise ValueError('has no "text"')
    if not isinstance(text, str):
        raise ValueError(f'has a "text" that is {_kind(text)}, not a string')
    if not text.strip():
        raise ValueError('has a blank "text"')
    document_id = _id(row)
    language = _language(row)
    return Document(
        id=f"{file.relative}#L{number}" if document_id is None else document_id,
        text=text,
        title=_string(row, "title"),
        language=detect_language(text) if language is None else language,
        source=file.source,
        metadata=_metadata(row),
    )


def _id(row: dict[str, object]) -> str | None:
    for key in ("id", "_id"):
        value = row.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f'has an "{key}" that is {_kind(value)}, not a string or a number')
        if isinstance(value, str) and not value.strip():
            raise ValueError(f'has a blank "{key}"')
        return str(value)
    return None


def _language(row: dict[str, object]) -> str | None:
    given = _string(row, "language").strip()
    if not given:
        return None
    language = canonical_language(given)
    if language is None:
        raise ValueError(f'has the "language" {given[:40]!r}, which is not a BCP 47 code such as "en" or "zh-Hant"')
    return language


def _metadata(row: dict[str, object]) -> Mapping[str, object]:
    value = row.get("metadata")
    if value is None or value == {}:
        return NO_METADATA
    if not isinstance(value, dict):
        raise ValueError(f'has a "metadata" that is {_kind(value)}, not an object')
    if _is_deeper(value, MAX_METADATA_DEPTH):
        raise ValueError(f'has a "metadata" that is nested more than {MAX_METADATA_DEPTH} deep')
    return MappingProxyType(value)


def _is_deeper(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        nested = [item for item in level if isinstance(item, dict | list)]
        if not nested:
            return False
        level = [child for item in nested for child in (item.values() if isinstance(item, dict) else item)]
    return True


def _string(row: dict[str, object], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f'has a "{key}" that is {_kind(value)}, not a string')
    return value


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "an object"
