"""Where paragraphs and sentences begin and end in a text of any script.

Spans are half-open and count code points of the whole text. Sentences and pieces *tile* the stretch that they are cut
from: they follow each other without a gap, white space included.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from corpora.words import word_spans

BLOCK = 8_192
"""Code points that are segmented or tokenised in one call: a long text without a break then costs linear time."""

# Atomic and possessive: "\r\n" is one line end, and long runs of blanks cost linear time.
_BLANK_LINE = re.compile(r"(?>\r\n|[\r\n])[^\S\r\n]*+(?>\r\n|[\r\n])\s*+|\u2029\s*+")
_SPACES = re.compile(r"\s+")
# sentencex panics on white space of several bytes after an initial, so it is shown a copy of equal length without.
_WIDE_SPACES = "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_PLAIN_SPACES = str.maketrans(_WIDE_SPACES + "\u2028\u2029", " " * len(_WIDE_SPACES) + "\n\n")


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Move both ends inwards past white space; the span is empty where nothing else is in it."""
    stretch = text[start:end]
    kept = stretch.lstrip()
    start = end - len(kept)
    return start, start + len(kept.rstrip())


def paragraph_ends(text: str, start: int, end: int) -> list[int]:
    """Return the end of each paragraph, behind its blank lines; the last one is the end of the stretch."""
    return [*(match.end() for match in _BLANK_LINE.finditer(text, start, end)), end]


def sentences(text: str, start: int, end: int, language: str | None) -> Iterator[tuple[int, int]]:
    """Cut after each sentence, by the rules of the language (of English where it is unknown).

    No span is longer than 8,192 code points: a longer sentence is cut at a space near that length, or just there.
    """
    code = "en" if language is None else language.split("-")[0]
    while start < end:
        stop = min(start + BLOCK, end)
        *whole, last = [(start + first, start + past) for first, past in _boundaries(text[start:stop], code)]
        yield from whole
        if stop == end:
            yield last
            return
        if whole:
            # The last sentence may go on after the block.
            start = last[0]
        else:
            cut = _last_space(text, start, stop)
            yield start, cut
            start = cut


def divide(text: str, start: int, end: int, token_starts: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Cut an over-long sentence into pieces of at most ``limit`` tokens: at spaces, else at words, else at tokens.

    Neighbours are joined up to a quarter of the limit, so that pieces can be dealt out evenly. ``token_starts`` are
    the sorted offsets at which the tokens of the text begin; only tokens that share one can break the limit.
    """
    pieces = [(start, end)]
    for cutter in (_at_spaces, _at_words, _at_tokens):
        finer: list[tuple[int, int]] = []
        for piece in pieces:
            if count_tokens(token_starts, *piece) <= limit:
                finer.append(piece)
            else:
                places = cutter(text, *piece, token_starts)
                finer.extend(_pieces(piece, places, token_starts, max(1, limit // 4)))
        pieces = finer
    return pieces


def count_tokens(token_starts: Sequence[int], start: int, end: int) -> int:
    """Count the tokens that begin in the span."""
    return bisect_left(token_starts, end) - bisect_left(token_starts, start)


def _boundaries(block: str, code: str) -> list[tuple[int, int]]:
    """Return the sentences of a block; the block as one where they cannot be had exactly."""
    import sentencex

    try:
        found = sentencex.get_sentence_boundaries(code, block.translate(_PLAIN_SPACES))
    except BaseException as error:
        # A panic in the extension derives from BaseException only, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        return [(0, len(block))]
    spans = [(int(sentence["start_index"]), int(sentence["end_index"])) for sentence in found]
    edges = [0, *(past for _, past in spans)]
    tiled = edges[-1] == len(block) and all(
        first == edge < past for (first, past), edge in zip(spans, edges, strict=False)
    )
    return spans if tiled else [(0, len(block))]


def _last_space(text: str, start: int, stop: int) -> int:
    """Return the place after the last white space in the second half of a stretch, else its end."""
    places = [match.end() for match in _SPACES.finditer(text, (start + stop) // 2, stop)]
    return places[-1] if places else stop


def _at_spaces(text: str, start: int, end: int, token_starts: Sequence[int]) -> list[int]:
    return [match.end() for match in _SPACES.finditer(text, start, end)]


def _at_words(text: str, start: int, end: int, token_starts: Sequence[int]) -> list[int]:
    return [start + past for _, past in word_spans(text[start:end])]


def _at_tokens(text: str, start: int, end: int, token_starts: Sequence[int]) -> list[int]:
    first, last = bisect_left(token_starts, start), bisect_left(token_starts, end)
    return [place for place in token_starts[first:last] if place > start]


def _pieces(
    span: tuple[int, int], places: Sequence[int], token_starts: Sequence[int], limit: int
) -> Iterator[tuple[int, int]]:
    """Cut a span at some of the given places, as few as the limit allows."""
    start, end = span
    while count_tokens(token_starts, start, end) > limit:
        # Up to the place where the token beyond the limit begins, a piece is short enough.
        beyond = token_starts[bisect_left(token_starts, start) + limit]
        choice = bisect_right(places, beyond)
        if choice == 0 or places[choice - 1] <= start:
            if choice == len(places):
                break
            choice += 1
        if places[choice - 1] >= end:
            break
        yield start, places[choice - 1]
        start = places[choice - 1]
    yield start, end
