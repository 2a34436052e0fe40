"""Documents into passages: runs of whole sentences of about the length that the encoder likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

from corpora.documents import Document, Passage, Section
from corpora.errors import UsageError
from corpora.sentences import BLOCK, count_tokens, divide, paragraphs, sentences, trimmed

TokenOffsets = Callable[[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A sentence, or a piece of an over-long one, without white space around it."""

    start: int
    end: int
    tokens: int


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
        units = [self._units(text, *paragraph, language) for paragraph in paragraphs(text, start, end)]
        spans: list[tuple[int, int]] = []
        before: Sequence[_Unit] = ()
        for group in _groups([paragraph for paragraph in units if paragraph], self.target_tokens):
            for run in self._runs(group):
                overlap = self._overlap(before)
                if overlap and overlap[0].start <= spans[-1][0]:
                    overlap = []
                spans.extend(self._fitted(text, overlap, run))
                before = run
        return spans

    def _units(self, text: str, start: int, end: int, language: str | None) -> list[_Unit]:
        """Cut a paragraph into sentences, and sentences over the maximum into pieces of a quarter of the target."""
        start, end = trimmed(text, start, end)
        units: list[_Unit] = []
        for block in _blocks(sentences(text, start, end, language)):
            base = block[0][0]
            token_starts = sorted(base + first for first, _ in self.token_offsets(text[base : block[-1][1]]))
            for sentence in block:
                tokens = count_tokens(token_starts, *sentence)
                pieces = [sentence]
                if tokens > self.max_tokens:
                    pieces = divide(text, *sentence, token_starts, max(1, self.target_tokens // 4))
                for piece in pieces:
                    first, past = trimmed(text, *piece)
                    if first < past:
                        units.append(_Unit(start=first, end=past, tokens=count_tokens(token_starts, first, past)))
        return units

    def _runs(self, units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
        """Deal units out to passages of even length near the target, with room left for the overlap."""
        room = min(3 * self.target_tokens // 2, self.max_tokens - self.target_tokens // 3)
        room = max(1, room)
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
        """Return the last sentences of a run that its neighbour repeats; never the whole run."""
        taken: list[_Unit] = []
        left = self.target_tokens // 3
        for unit in before[:0:-1]:
            left -= unit.tokens
            if left < 0 or len(taken) == self.overlap_sentences:
                break
            taken.insert(0, unit)
        return taken

    def _fitted(self, text: str, overlap: Sequence[_Unit], run: Sequence[_Unit]) -> Iterator[tuple[int, int]]:
        """Yield the run as one span, or as several where its own token count is over the maximum after all.

        Tokens were counted in larger blocks of text; cut out of them, a passage may have a few more.
        """
        first = overlap[0] if overlap else run[0]
        span = first.start, run[-1].end
        if len(self.token_offsets(text[span[0] : span[1]])) <= self.max_tokens:
            yield span
        elif overlap:
            yield from self._fitted(text, (), run)
        elif len(run) > 1:
            yield from self._fitted(text, (), run[: len(run) // 2])
            yield from self._fitted(text, (), run[len(run) // 2 :])
        elif span[1] - span[0] == 1:
            yield span
        else:
            middle = sum(span) // 2
            halves = [trimmed(text, span[0], middle), trimmed(text, middle, span[1])]
            for start, end in halves:
                yield from self._fitted(text, (), [_Unit(start=start, end=end, tokens=0)])


def _sections(document: Document) -> Iterator[tuple[Section, int]]:
    """Pair each section with its end; text before the first one is a section of its own."""
    length = len(document.text)
    borders = [Section(start=0), *document.sections, Section(start=length)]
    for section, following in pairwise(borders):
        past = min(following.start, length)
        if section.start < past:
            yield section, past


def _blocks(spans: Iterator[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Gather neighbouring sentences while they stay within the length that is tokenised at once."""
    block: list[tuple[int, int]] = []
    for span in spans:
        if block and span[1] - block[0][0] > BLOCK:
            yield block
            block = []
        block.append(span)
    if block:
        yield block


def _groups(paragraphs: Sequence[list[_Unit]], target: int) -> list[list[_Unit]]:
    """Join short paragraphs: whole ones up to the target, and stubs such as headings with what follows them."""
    stub = target // 4
    groups: list[list[_Unit]] = []
    sizes: list[int] = []
    for paragraph in paragraphs:
        size = sum(unit.tokens for unit in paragraph)
        if groups and (sizes[-1] < stub or sizes[-1] + size <= target):
            groups[-1].extend(paragraph)
            sizes[-1] += size
        else:
            groups.append(list(paragraph))
            sizes.append(size)
    if len(groups) > 1 and sizes[-1] < stub:
        last = groups.pop()
        groups[-1].extend(last)
    return groups
