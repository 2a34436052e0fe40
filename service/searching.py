"""Passages for a question, without a reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from service import limits
from service.answers import SearchResult, Timings
from service.settings import DEFAULT_SEARCH_TOP_K, SearchMode
from service.stopwatch import Stopwatch

if TYPE_CHECKING:
    from indexer.filtering import PassageFilter
    from indexer.passages import RetrievedPassage
    from service.protocols import OpenIndex

LEAST_SPREAD = 0.02
"""What is added to the deviation of the scores of the passages found for a question."""


def search_index(
    index: OpenIndex,
    question: str,
    top_k: int = DEFAULT_SEARCH_TOP_K,
    mode: SearchMode = "hybrid",
    only: PassageFilter | None = None,
) -> SearchResult:
    """Return the ``top_k`` passages nearest to the question, best first; fewer where the index holds fewer.

    ``mode`` is what ``indexer.HybridRetriever`` ranks by, ``only`` what may be found.
    """
    from corpora.languages import detect_language

    limits.check_top_k(top_k)
    asked = limits.check_questions([question])
    clock = Stopwatch()
    passages = index.retriever.retrieve_batch(asked, top_k=top_k, mode=mode, only=only)[0]
    timings = Timings(retrieve_ms=clock.lap(), total_ms=clock.total())
    return SearchResult(
        question=asked[0],
        language=detect_language(asked[0]),
        passages=tuple(passages),
        timings=timings,
        index=index.info,
    )


def retrieval_margins(found: Sequence[RetrievedPassage], asked_for: int) -> list[float]:
    """Return how far each passage's score stands above the mean of the ``asked_for`` passages, in standard deviations.

    A score alone depends on the languages of question and passage and on how many passages there are to be mistaken
    for the right one; what the others found with it reach says how much of it is due to that. Where the index held
    fewer than ``asked_for``, the missing ones count as unrelated: with a score of 0. ``LEAST_SPREAD`` is added to the
    deviation, so that passages of nearly equal scores have margins near 0.
    """
    scores = [item.score for item in found]
    count = max(asked_for, len(scores), 1)
    mean = sum(scores) / count
    squares = sum((score - mean) ** 2 for score in scores) + (count - len(scores)) * mean**2
    spread = math.sqrt(squares / count) + LEAST_SPREAD
    return [(score - mean) / spread for score in scores]
