"""What the service returns: answers with their places, and the passages of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpora.documents import Passage
    from indexer.passages import RetrievedPassage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Words of a document offered as the answer, and where they stand.

    ``start`` and ``end`` are half-open code point offsets in the *document*: ``document.text[start:end] == text``.
    ``score`` is the calibrated probability that the answer is right, from 0 to 1. ``span_score`` is the reader's raw
    score and ``retrieval_score`` the passage's; neither is a probability. ``support`` counts the distinct places that
    hold these words. ``source`` is a file name, or "-" for standard input. ``language`` is the passage's.
    """

    text: str
    score: float
    document_id: str
    title: str
    headings: tuple[str, ...]
    page: int | None
    source: str
    language: str | None
    start: int
    end: int
    passage: Passage
    span_score: float
    retrieval_score: float | None
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds spent in each stage; a stage that was not needed is None.

    For a batch these are the batch's times divided by the number of its questions.
    """

    retrieve_ms: float | None = None
    read_ms: float | None = None
    rank_ms: float | None = None
    total_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexInfo:
    """Which index, in which generation, an answer came from."""

    name: str
    generation: int
    documents: int
    passages: int
    embedder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerResult:
    """The ranked answers to one question, best first.

    ``no_answer`` is the probability that none of them is right. Where ``answered`` is False the best score is below
    the threshold, and ``answers`` holds the candidates all the same. ``index`` is None where a context was given.
    """

    question: str
    language: str | None
    answered: bool
    answers: tuple[Answer, ...]
    no_answer: float
    timings: Timings
    index: IndexInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTrace:
    """A result with what led to it: all passages retrieved, best first, of which the first ``read`` were read."""

    result: AnswerResult
    retrieved: tuple[RetrievedPassage, ...]
    read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The passages nearest to one question, best first."""

    question: str
    language: str | None
    passages: tuple[RetrievedPassage, ...]
    timings: Timings
    index: IndexInfo
