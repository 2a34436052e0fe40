"""From raw logits to spans: pure array code, without torch and without weights."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLogits:
    """What the network says of one window; positions count in the window, padding excluded.

    ``start_logits`` (length,); ``starts`` (beams,) the positions with the best start logits; ``end_logits``
    (beams, length) the end logits conditional on each of them; ``end_totals`` (beams,) the logarithm of the sum of all
    exponentials of each one's end logits, 0 where ends do not depend on starts; ``null_score`` the score of the span
    that is the CLS token alone; ``class_logit`` the logit for "no answer".
    """

    start_logits: Floats
    starts: Integers
    end_logits: Floats
    end_totals: Floats
    null_score: float
    class_logit: float


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TokenSpan:
    """Window positions ``first`` to ``last``, both inclusive; how the score is made, ``decode_window`` says."""

    score: float
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterSpan:
    """Half-open code point offsets in the passage, with the score of the best token span that gives them."""

    start: int
    end: int
    score: float


def decode_window(
    logits: WindowLogits, passage_start: int, passage_end: int, *, max_answer_tokens: int, n_best: int
) -> list[TokenSpan]:
    """Return the best spans inside ``[passage_start, passage_end)``, best first, at most ``n_best``.

    A span has at most ``max_answer_tokens`` tokens. Its score is the start logit plus the end logit less the total of
    all ends of that start: training sets the ends of one start against each other, never against those of another
    start, so their raw logits say nothing of which start is better. Equal scores are ordered by position. Logits that
    are not finite give no span.
    """
    found: list[TokenSpan] = []
    for beam, first in enumerate(logits.starts.tolist()):
        if not passage_start <= first < passage_end:
            continue
        stop = min(first + max_answer_tokens, passage_end)
        scores = logits.start_logits[first] + logits.end_logits[beam, first:stop] - logits.end_totals[beam]
        for place in np.argsort(-scores, kind="stable")[:n_best].tolist():
            if np.isfinite(scores[place]):
                found.append(TokenSpan(score=float(scores[place]), first=first, last=first + place))
    found.sort(key=lambda span: (-span.score, span.first, span.last))
    return found[:n_best]


def to_characters(
    span: TokenSpan, text: str, offsets: Sequence[tuple[int, int]], passage_start: int, first_token: int
) -> CharacterSpan | None:
    """Map a token span of a window to the passage's characters; None if only white space is left.

    White space at the ends is cut off, and a combining mark is never parted from its base: tokenizers leave a mark
    that they composed with its base out of the token's offsets.
    """
    shift = first_token - passage_start
    start, end = offsets[span.first + shift][0], offsets[span.last + shift][1]
    if start >= end:
        return None
    while 0 < start < end and _is_mark(text[start]):
        start -= 1
    while end < len(text) and _is_mark(text[end]):
        end += 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return CharacterSpan(start=start, end=end, score=span.score) if start < end else None


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def best_spans(spans: Iterable[CharacterSpan], n_best: int) -> list[CharacterSpan]:
    """Return the best different spans of a passage, best first; windows that overlap may offer the same one twice."""
    best: dict[tuple[int, int], CharacterSpan] = {}
    for span in spans:
        known = best.get((span.start, span.end))
        if known is None or span.score > known.score:
            best[span.start, span.end] = span
    return sorted(best.values(), key=lambda span: (-span.score, span.start, span.end))[:n_best]
