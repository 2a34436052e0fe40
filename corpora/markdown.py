"""Markdown files: one document each, its headings as sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from corpora.documents import Section
from corpora.errors import RowError
from corpora.sources import Row, SourceFile, read_text
from corpora.text import text_document

_LINE_END = re.compile(r"\r\n?|\n")
_FRONT_MATTER = re.compile(r"---[ \t]*+(?>\r\n?|\n)(?:[^\r\n]*+(?>\r\n?|\n))*?(?:---|\.\.\.)[ \t]*+(?>\r\n?|\n|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of the top level of the document: its depth (1 to 6), its plain text and the place of its lines."""

    level: int
    text: str
    start: int
    end: int


def read_markdown(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the file as one document: raw text, sections at the headings, title from the first level-1 heading."""
    text = read_text(file)
    row = text_document(text, file)
    if isinstance(row, Row):
        headings = markdown_headings(text)
        title = next((heading.text for heading in headings if heading.level == 1 and heading.text), row.document.title)
        row = Row(document=replace(row.document, title=title, sections=heading_sections(text, headings)))
    yield row


def markdown_headings(text: str) -> list[Heading]:
    """Find the headings with their offsets in the raw text, in order; those inside lists and quotes do not count."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    starts = [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
    tokens = parser.parse(_without_front_matter(text))
    found = []
    for token, inline in pairwise(tokens):
        if token.type != "heading_open" or token.level != 0 or token.map is None:
            continue
        first, last = token.map
        found.append(
            Heading(
                level=int(token.tag[1:]),
                text=_plain(inline.content),
                start=starts[first],
                end=starts[min(last, len(starts) - 1)],
            )
        )
    return found


def heading_sections(text: str, headings: Sequence[Heading]) -> tuple[Section, ...]:
    """Turn headings into sections that begin at the heading's own line and carry the whole path of headings.

    A heading with nothing of its own before a deeper one belongs to that one's section, so that no passage is a
    bare heading.
    """
    sections: list[Section] = []
    path: list[Heading] = []
    pending: int | None = None
    for heading, following in zip_longest(headings, headings[1:]):
        path = [above for above in path if above.level < heading.level] + [heading]
        start = heading.start if pending is None else pending
        if (
            following is not None
            and following.level > heading.level
            and not text[heading.end : following.start].strip()
        ):
            pending = start
            continue
        pending = None
        sections.append(Section(start=start, headings=tuple(above.text for above in path if above.text)))
    return tuple(sections)


def _without_front_matter(text: str) -> str:
    """Blank out a YAML block at the top, keeping its lines: CommonMark would read its end as a heading's underline."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text
    return "\n" * len(_LINE_END.findall(match.group())) + text[match.end() :]


def _plain(content: str) -> str:
    """Strip the markup of one heading."""
    from markdown_it import MarkdownIt

    words: list[str] = []
    for token in MarkdownIt("commonmark").parseInline(content):
        for child in token.children or ():
            if child.type in ("text", "code_inline", "image", "text_special"):
                words.append(child.content)
            elif child.type in ("softbreak", "hardbreak"):
                words.append(" ")
    return "".join(words).strip()
