"""Documents into passages: runs of whole sentences of about the length that the encoder likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from itertools import groupby, pairwise

from corpora.documents import Document, Passage, Section
from corpora.errors import UsageError
from corpora.sentences import BLOCK, count_tokens, divide, paragraph_ends, sentences, trimmed

TokenOffsets = Callable[[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A sentence, or a piece of an over-long one, without white space around it."""

    start: int
    end: int
    tokens: int
    paragraph: int


@dataclass(frozen=True, slots=True)
class Splitter:
    """Split documents into passages, by sentences and by the encoder's tokens.

    ``token_offsets`` returns the half-open code point offsets of a text's tokens, in order, without special tokens.
    Passages have about ``target_tokens`` (two thirds to three halves of it where there is enough text) and never more
    than ``max_tokens``, unless one code point alone has more. Each begins with up to ``overlap_sentences`` last
    sentences of its neighbour in the same section, as far as these take at most a third of the target.
    """

    token_offsets: TokenOffsets
    _: KW_ONLY
    target_tokens: int = 200
    max_tokens: int = 400
    overlap_sentences: int = 1

    def __post_init__(self) -> None:
        """Refuse sizes that no passage could keep."""
        if not 1 <= self.target_tokens <= self.max_tokens:
            raise UsageError(
                f"passages of {self.target_tokens} tokens, at most {self.max_tokens}: "
                "the target must be at least 1 and at most the maximum"
            )
        if self.overlap_sentences < 0:
            raise UsageError(f"an overlap of {self.overlap_sentences} sentences: it must be 0 or more")

    def split(self, document: Document) -> list[Passage]:
        """Return the passages in text order; none for a blank text.

        Every character that is not white space is in at least one passage, no passage begins or ends with white
        space or crosses the border of a section, and no two begin at the same place. The id is ``document@start``.
        """
        return [
            Passage(
                id=f"{document.id}@{start}",
                document_id=document.id,
                text=document.text[start:end],
                start=start,
                title=document.title,
                headings=section.headings,
                language=document.language,
                page=section.page,
                source=document.source,
            )
            for section, past in _sections(document)
            for start, end in self._spans(document.text, section.start, past, document.language)
        ]

    def _spans(self, text: str, start: int, end: int, language: str | None) -> list[tuple[int, int]]:
        """Return the passages of one section as spans."""
        spans: list[tuple[int, int]] = []
        before: Sequence[_Unit] = ()
        for group in _groups(self._units(text, start, end, language), self.target_tokens):
            for run in self._runs(group):
                overlap = self._overlap(before)
                # Nothing is gained by repeating a whole passage, and two passages must not begin at one place.
                if overlap and overlap[0].start <= spans[-1][0]:
                    overlap = []
                spans.extend(self._fitted(text, [*overlap, *run], len(overlap)))
                before = run
        return spans

    def _units(self, text: str, start: int, end: int, language: str | None) -> Iterator[_Unit]:
        """Cut a section into sentences, and sentences over the maximum into pieces of at most the target."""
        start, end = trimmed(text, start, end)
        for block in _blocks(_sentences_in_paragraphs(text, start, end, language)):
            base = block[0].start
            token_starts = sorted([base + first for first, _ in self.token_offsets(text[base : block[-1].end])])
            for unit in block:
                tokens = count_tokens(token_starts, unit.start, unit.end)
                if tokens <= self.max_tokens:
                    yield replace(unit, tokens=tokens)
                    continue
                for piece in divide(text, unit.start, unit.end, token_starts, self.target_tokens):
                    first, past = trimmed(text, *piece)
                    if first < past:
                        tokens = count_tokens(token_starts, first, past)
                        yield replace(unit, start=first, end=past, tokens=tokens)

    def _runs(self, units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
        """Deal units out to passages of even length near the target, with room left for the overlap."""
        room = max(1, min(3 * self.target_tokens // 2, self.max_tokens - self.target_tokens // 3))
        rest = sum(unit.tokens for unit in units)
        runs = max(1, round(rest / self.target_tokens), math.ceil(rest / room))
        run: list[_Unit] = []
        size = 0
        for unit in units:
            even = rest / runs
            if run and (size + unit.tokens > room or size + unit.tokens / 2 > even):
                yield run
                rest, runs = rest - size, max(1, runs - 1)
                run, size = [], 0
            run.append(unit)
            size += unit.tokens
        yield run

    def _overlap(self, before: Sequence[_Unit]) -> list[_Unit]:
        """Return the last sentences of a run that its neighbour repeats."""
        taken: list[_Unit] = []
        left = self.target_tokens // 3
        for unit in reversed(before):
            left -= unit.tokens
            if left < 0 or len(taken) == self.overlap_sentences:
                break
            taken.insert(0, unit)
        return taken

    def _fitted(self, text: str, units: Sequence[_Unit], overlap: int = 0) -> Iterator[tuple[int, int]]:
        """Yield the units as one span, or as several where its own token count is over the maximum after all.

        Tokens were counted in larger blocks of text; cut out of them, a passage may have some more. Counting again
        costs as much as the first time, so it is done only where a third more and eight would be too many. The first
        ``overlap`` units belong to the neighbour as well.
        """
        start, end = units[0].start, units[-1].end
        surely = sum(unit.tokens for unit in units) * 4 // 3 + 8 <= self.max_tokens
        if surely or end - start == 1 or len(self.token_offsets(text[start:end])) <= self.max_tokens:
            yield start, end
        elif overlap:
            yield from self._fitted(text, units[overlap:])
        elif len(units) > 1:
            yield from self._fitted(text, units[: len(units) // 2])
            yield from self._fitted(text, units[len(units) // 2 :])
        else:
            middle = (start + end) // 2
            for first, past in (trimmed(text, start, middle), trimmed(text, middle, end)):
                # The tokens of a half are not known; as many as the maximum has them counted.
                yield from self._fitted(text, [replace(units[0], start=first, end=past, tokens=self.max_tokens)])


def _sections(document: Document) -> Iterator[tuple[Section, int]]:
    """Pair each section with its end; text before the first one is a section of its own."""
    length = len(document.text)
    borders = [Section(start=0), *document.sections, Section(start=length)]
    for section, following in pairwise(borders):
        past = min(following.start, length)
        if section.start < past:
            yield section, past


def _sentences_in_paragraphs(text: str, start: int, end: int, language: str | None) -> Iterator[_Unit]:
    """Yield sentences without white space around them, cut where a paragraph ends inside; tokens are not counted."""
    ends = paragraph_ends(text, start, end)
    paragraph = 0
    for first, past in sentences(text, start, end, language):
        while first < past:
            cut = min(past, ends[paragraph])
            inner = trimmed(text, first, cut)
            if inner[0] < inner[1]:
                yield _Unit(start=inner[0], end=inner[1], tokens=0, paragraph=paragraph)
            first = cut
            paragraph += cut == ends[paragraph]


def _blocks(units: Iterator[_Unit]) -> Iterator[list[_Unit]]:
    """Gather neighbouring sentences while they stay within the length that is tokenised at once."""
    block: list[_Unit] = []
    for unit in units:
        if block and unit.end - block[0].start > BLOCK:
            yield block
            block = []
        block.append(unit)
    if block:
        yield block


def _groups(units: Iterator[_Unit], target: int) -> list[list[_Unit]]:
    """Join short paragraphs: whole ones up to the target, and stubs such as headings with what follows them."""
    stub = target // 4
    groups: list[list[_Unit]] = []
    sizes: list[int] = []
    for _, paragraph in groupby(units, key=lambda unit: unit.paragraph):
        members = list(paragraph)
        size = sum(unit.tokens for unit in members)
        if groups and (sizes[-1] < stub or sizes[-1] + size <= target):
            groups[-1].extend(members)
            sizes[-1] += size
        else:
            groups.append(members)
            sizes.append(size)
    if len(groups) > 1 and sizes[-1] < stub:
        last = groups.pop()
        groups[-1].extend(last)
    return groups
