"""HTML pages: the main text and the title, as trafilatura finds them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from corpora.errors import RowError
from corpora.sources import Row, SourceFile, decode, is_encodable, read_bytes, refuse_utf16
from corpora.text import text_document

MAX_TAGS = 30_000
"""The search for the main text takes a time that grows faster than the page; larger pages are read as a whole."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_WHOLE_PAGE = re.compile(r"<(?:html|body)\b", re.IGNORECASE)
_LIST_OR_TABLE = ("- ", "|")
_UNSEEN = frozenset({"head", "script", "style", "template", "noscript"})
_INLINE = re.compile("a|abbr|b|bdi|bdo|cite|code|em|font|i|kbd|mark|q|s|small|span|strong|sub|sup|time|u|var|wbr")


def read_html(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the page as one document; offsets count in the extracted text, whose paragraphs a blank line parts.

    The title is the page's, else the file's name. The document is all text of the file where that is a fragment
    without ``<html>`` or ``<body>``, and where no main text is found.
    """
    page = _decode(read_bytes(file), file)
    text, title = "", None
    if _WHOLE_PAGE.search(page) and page.count("<") <= 2 * MAX_TAGS:
        text, title = _main_text(page)
    row = text_document(_paragraphs(text if text.strip() else _all_text(page)), file)
    if isinstance(row, Row) and title:
        row = Row(document=replace(row.document, title=title))
    yield row


def _main_text(page: str) -> tuple[str, str | None]:
    """Return main text and title; "" and None where they are not found."""
    from trafilatura import bare_extraction

    _silence()
    found = bare_extraction(page, include_comments=False, with_metadata=True)
    if found is None or isinstance(found, dict):
        return "", None
    # A page may declare a title that is no text, such as a list.
    title = found.title if isinstance(found.title, str) and is_encodable(found.title) else None
    return found.text or "", title


@cache
def _silence() -> None:
    """Keep the library's warnings about odd pages from stderr, unless the application has set up logging."""
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())


def _all_text(page: str) -> str:
    from lxml import etree

    # A target sees the page as a stream of events: no tree is built, so no nesting is too deep.
    parser = etree.HTMLParser(target=_TextCollector(), encoding="utf-8", huge_tree=True)
    parser.feed(page.encode("utf-8"))
    return str(parser.close())


class _TextCollector:
    """Gather the text of a page from lxml's parser events, a line for each block."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._unseen = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Begin a line, or a stretch that is not shown."""
        self._unseen += tag in _UNSEEN
        self._break(tag)

    def end(self, tag: str) -> None:
        """End a line, or a stretch that is not shown."""
        self._unseen -= tag in _UNSEEN
        self._break(tag)

    def data(self, words: str) -> None:
        """Keep the words that are shown."""
        if not self._unseen:
            self._parts.append(words.replace("\r", " ").replace("\n", " "))

    def close(self) -> str:
        """Return the whole text."""
        return "".join(self._parts)

    def _break(self, tag: str) -> None:
        if _INLINE.fullmatch(tag) is None:
            self._parts.append("\n")


def _decode(content: bytes, file: SourceFile) -> str:
    """Decode a page: UTF-8 where that is valid, else the charset that the page itself declares."""
    refuse_utf16(content, file)
    declared = _CHARSET.search(content[:4096])
    if declared is not None and not _is_utf8(content):
        try:
            page = content.decode(declared.group(1).decode("ascii"))
        except (LookupError, ValueError):
            page = ""
        if page and is_encodable(page):
            return page
    return decode(content, file)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _paragraphs(text: str) -> str:
    """Part paragraphs by a blank line; rows of a list or table stay together."""
    lines = [line for line in text.splitlines() if line.strip()]
    parted: list[str] = []
    for line in lines:
        together = parted and line.startswith(_LIST_OR_TABLE) and parted[-1].startswith(_LIST_OR_TABLE)
        parted.extend([line] if together or not parted else ["", line])
    return "\n".join(parted)
