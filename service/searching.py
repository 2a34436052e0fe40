"""Passages for a question, without a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service import limits
from service.answers import SearchResult, Timings
from service.settings import DEFAULT_SEARCH_TOP_K
from service.stopwatch import Stopwatch

if TYPE_CHECKING:
    from indexer.passages import RetrievedPassage
    from service.protocols import OpenIndex


def search_index(index: OpenIndex, question: str, top_k: int = DEFAULT_SEARCH_TOP_K) -> SearchResult:
    """Return the ``top_k`` passages nearest to the question, best first; fewer where the index holds fewer."""
    from corpora.languages import detect_language

    limits.check_top_k(top_k)
    asked = limits.check_questions([question])
    clock = Stopwatch()
    passages = index.retriever.retrieve_batch(asked, top_k=top_k)[0]
    timings = Timings(retrieve_ms=clock.lap(), total_ms=clock.total())
    return SearchResult(
        question=asked[0],
        language=detect_language(asked[0]),
        passages=tuple(passages),
        timings=timings,
        index=index.info,
    )


def passage_score(found: RetrievedPassage) -> float:
    """Return the part of a passage's score that compares between questions: the cosine, where there is one."""
    return found.score if found.dense_score is None else found.dense_score
