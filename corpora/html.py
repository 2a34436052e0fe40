"""HTML pages: the main text and the title, as trafilatura finds them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from corpora.errors import RowError
from corpora.sources import Row, SourceFile, decode, read_bytes, refuse_utf16
from corpora.text import text_document

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_LIST_OR_TABLE = ("- ", "| ", "|")


def read_html(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the page as one document; offsets count in the extracted text, whose paragraphs a blank line parts."""
    from trafilatura import bare_extraction, html2txt

    page = _decode(read_bytes(file), file)
    found = bare_extraction(page, include_comments=False, with_metadata=True)
    text, title = "", None
    if found is not None and not isinstance(found, dict):
        text, title = found.text or "", found.title
    if not text.strip():
        text = html2txt(page) or ""
    row = text_document(_paragraphs(text), file)
    if isinstance(row, Row) and title:
        row = Row(document=replace(row.document, title=title))
    yield row


def _decode(content: bytes, file: SourceFile) -> str:
    """Decode a page: UTF-8 where that is valid, else the charset that the page itself declares."""
    refuse_utf16(content, file)
    declared = _CHARSET.search(content[:4096])
    if declared is not None:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            try:
                return codecs.decode(content, declared.group(1).decode("ascii"))
            except (LookupError, UnicodeDecodeError):
                pass
    return decode(content, file)


def _paragraphs(text: str) -> str:
    """Part paragraphs by a blank line; rows of a list or table stay together."""
    lines = [line for line in text.splitlines() if line.strip()]
    parted: list[str] = []
    for line in lines:
        together = parted and line.startswith(_LIST_OR_TABLE) and parted[-1].startswith(_LIST_OR_TABLE)
        parted.extend([line] if together or not parted else ["", line])
    return "\n".join(parted)
