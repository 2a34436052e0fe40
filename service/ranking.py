"""From spans of many passages to a short list of answers: pure functions over numbers, without a model.

The result depends on the set of candidates only, never on the order in which they come.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from corpora.errors import SpanglotError
from service.answers import Answer

if TYPE_CHECKING:
    from reader.spans import AnswerSpan
    from service.protocols import Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A span with the retrieval score of its passage and its calibrated probability; offsets count in the document."""

    span: AnswerSpan
    retrieval_score: float | None
    score: float

    @property
    def document_id(self) -> str:
        """Id of the document that the span stands in."""
        return self.span.passage.document_id

    @property
    def start(self) -> int:
        """First code point of the span in its document."""
        return self.span.passage.start + self.span.start

    @property
    def end(self) -> int:
        """Code point after the span's last one in its document."""
        return self.span.passage.start + self.span.end


def score_candidates(
    spans: Sequence[AnswerSpan], found: Sequence[tuple[float, float] | None], calibration: Calibration
) -> list[Candidate]:
    """Give each span its probability; ``found[i]`` is the retrieval score and margin of the passage of ``spans[i]``.

    None stands for a passage that was given and not retrieved; its margin reaches the calibration as NaN.
    """
    import numpy as np

    if not spans:
        return []
    probabilities = np.asarray(
        calibration.probability(
            np.array([span.score for span in spans], dtype=np.float64),
            np.array([span.no_answer_score for span in spans], dtype=np.float64),
            np.array([np.nan if pair is None else pair[1] for pair in found], dtype=np.float64),
        ),
        dtype=np.float64,
    )
    if not np.isfinite(probabilities).all():
        raise SpanglotError("the reader gave a score that is not a number: its weights or its calibration are damaged")
    return [
        Candidate(span=span, retrieval_score=None if pair is None else pair[0], score=float(probability))
        for span, pair, probability in zip(spans, found, np.clip(probabilities, 0.0, 1.0), strict=True)
    ]


def rank_answers(candidates: Iterable[Candidate], top_k: int) -> tuple[Answer, ...]:
    """Return the best ``top_k`` answers, each text and each place at most once, best first."""
    ordered = sorted((candidate for candidate in candidates if candidate.span.text.strip()), key=_rank_key)
    best = _best_of_each_text(_best_of_each_place(ordered))
    places = _places_by_text(ordered)
    return tuple(_to_answer(candidate, places[answer_key(candidate.span.text)]) for candidate in best[:top_k])


def no_answer_probability(answers: Sequence[Answer]) -> float:
    """Return the probability that none of the answers is right; 1.0 where there is none."""
    return 1.0 - max((answer.score for answer in answers), default=0.0)


def answer_key(text: str) -> str:
    """Fold a text so that equal answers become equal strings: NFKC, case, punctuation and space at the edges."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    start, end = 0, len(folded)
    while start < end and _is_edge(folded[start]):
        start += 1
    while end > start and _is_edge(folded[end - 1]):
        end -= 1
    # An answer of nothing but punctuation is kept apart from every other one.
    return " ".join((folded[start:end] if start < end else folded).split())


def _is_edge(character: str) -> bool:
    return character.isspace() or unicodedata.category(character).startswith(("P", "Z", "Cc", "Cf"))


def _rank_key(candidate: Candidate) -> tuple[float, str, int, int, float, float, int, int, str]:
    # All after the end only decide which of several views of one place stands for it.
    retrieval = -math.inf if candidate.retrieval_score is None else candidate.retrieval_score
    passage = candidate.span.passage
    return (
        -candidate.score,
        candidate.document_id,
        candidate.start,
        candidate.end,
        -retrieval,
        -candidate.span.score,
        passage.start,
        passage.end,
        passage.id,
    )


def _best_of_each_place(ordered: Iterable[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    by_document: dict[str, list[Candidate]] = {}
    for candidate in ordered:
        rivals = by_document.setdefault(candidate.document_id, [])
        if any(candidate.start < rival.end and rival.start < candidate.end for rival in rivals):
            continue
        rivals.append(candidate)
        kept.append(candidate)
    return kept


def _best_of_each_text(ordered: Iterable[Candidate]) -> list[Candidate]:
    best: dict[str, Candidate] = {}
    for candidate in ordered:
        best.setdefault(answer_key(candidate.span.text), candidate)
    return list(best.values())


def _places_by_text(candidates: Iterable[Candidate]) -> dict[str, int]:
    """Count for each text the places that hold it; views of the same characters, and overlapping ones, are one."""
    found: dict[str, set[tuple[str, int, int]]] = {}
    for candidate in candidates:
        place = (candidate.document_id, candidate.start, candidate.end)
        found.setdefault(answer_key(candidate.span.text), set()).add(place)
    return {text: _count_apart(places) for text, places in found.items()}


def _count_apart(places: Iterable[tuple[str, int, int]]) -> int:
    count, document, reach = 0, "", 0
    for document_id, start, end in sorted(places):
        if count and document_id == document and start < reach:
            reach = max(reach, end)
            continue
        count, document, reach = count + 1, document_id, end
    return count


def _to_answer(candidate: Candidate, support: int) -> Answer:
    passage = candidate.span.passage
    return Answer(
        text=candidate.span.text,
        score=candidate.score,
        document_id=passage.document_id,
        title=passage.title,
        headings=passage.headings,
        page=passage.page,
        source=source_name(passage.source),
        language=passage.language,
        start=candidate.start,
        end=candidate.end,
        passage=passage,
        span_score=float(candidate.span.score),
        retrieval_score=None if candidate.retrieval_score is None else float(candidate.retrieval_score),
        support=support,
    )


def source_name(source: str) -> str:
    """Return the file name of a source without its folder; "-" stays "-"."""
    name = PurePath(source).name
    return name if name else source
