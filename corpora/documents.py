"""The leaf value types that every other package speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_METADATA: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Mark where a new heading path or page begins in a document's text.

    A section runs from ``start`` (a code point offset) to the start of the next one. No passage crosses that border.
    """

    start: int
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text of a corpus, as it was read.

    ``text`` is what every offset counts in (Unicode code points) and is never normalised.
    ``language`` is a BCP 47 code, or None where it is not known. ``source`` is the absolute path of the file that
    the document came from, or "-" for standard input. ``sections`` are sorted by ``start``; text before the first
    one has no headings and no page.
    """

    id: str
    text: str
    title: str = ""
    language: str | None = None
    source: str = "-"
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_METADATA)
    sections: tuple[Section, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of one document: ``document.text[start:start + len(text)] == text``, always."""

    id: str
    document_id: str
    text: str
    start: int
    title: str = ""
    headings: tuple[str, ...] = ()
    language: str | None = None
    page: int | None = None
    source: str = "-"

    @property
    def end(self) -> int:
        """Offset in the document just after the last code point of the passage."""
        return self.start + len(self.text)
