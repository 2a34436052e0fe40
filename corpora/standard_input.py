"""Standard input: JSONL, or one plain text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from corpora.errors import RowError
from corpora.jsonl import parse_jsonl
from corpora.sources import MAX_FILE_BYTES, ByteStream, Row, SourceFile, decode, limited
from corpora.text import text_document

STANDARD_INPUT = SourceFile(path=Path("-"), relative="stdin", shown="standard input", source="-", given=True)

_LOOK_AHEAD = 2**20
_OBJECT_BEGINS = re.compile(rb'\s*\{\s*["}]')


def read_standard_input() -> Iterator[Row | RowError]:
    """Read standard input: rows where its first line that is not blank begins a JSON object, else one text, "stdin".

    Whether that object is whole is not asked: a truncated first row is a bad row, not a text.
    """
    if sys.stdin is None:
        raise RowError(STANDARD_INPUT.shown, None, "is closed: pipe JSONL or text in")
    stream = sys.stdin.buffer
    head = first = stream.readline(_LOOK_AHEAD)
    while first and not first.strip(b"\xef\xbb\xbf \t\r\n") and len(head) < MAX_FILE_BYTES:
        first = stream.readline(_LOOK_AHEAD)
        head += first
    if not first:
        raise RowError(STANDARD_INPUT.shown, None, "is empty: pipe JSONL or text in")
    whole = _ReadAhead(head, stream)
    if _OBJECT_BEGINS.match(first.removeprefix(b"\xef\xbb\xbf")):
        yield from parse_jsonl(whole, STANDARD_INPUT)
    else:
        yield text_document(decode(limited(whole, STANDARD_INPUT), STANDARD_INPUT), STANDARD_INPUT)


class _ReadAhead:
    """Put the bytes that were looked at back in front of the rest."""

    def __init__(self, head: bytes, rest: ByteStream) -> None:
        self._head = BytesIO(head)
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes; fewer only at the end."""
        head = self._head.read(size)
        return head + self._rest.read(size - len(head))

    def readline(self, size: int, /) -> bytes:
        """Return one line with its end, or its first ``size`` bytes."""
        head = self._head.readline(size)
        if head.endswith(b"\n") or len(head) == size:
            return head
        return head + self._rest.readline(size - len(head))
