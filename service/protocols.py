"""What the service asks of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from corpora.documents import Document, Passage
    from indexer.filtering import PassageFilter
    from indexer.passages import RetrievedPassage
    from reader.spans import AnswerSpan
    from service.answers import IndexInfo
    from service.settings import SearchMode


class Retriever(Protocol):
    """Find the passages that are likely to answer."""

    def retrieve_batch(
        self,
        questions: Sequence[str],
        top_k: int = 20,
        mode: SearchMode = "hybrid",
        only: PassageFilter | None = None,
    ) -> list[list[RetrievedPassage]]:
        """Return for each question at most ``top_k`` passages, best first; see ``indexer.HybridRetriever``."""
        ...


class Calibration(Protocol):
    """Turn raw scores into the probability that an answer is right."""

    def probability(
        self, span_score: ArrayLike, no_answer_score: ArrayLike, retrieval_margin: ArrayLike
    ) -> np.ndarray[Any, Any]:
        """Return probabilities from 0 to 1, of the shape of the arguments."""
        ...


class Reader(Protocol):
    """Find the words of a passage that answer a question.

    ``calibration`` may carry a ``threshold``: the score from which a question counts as answered.
    """

    @property
    def name(self) -> str: ...

    @property
    def calibration(self) -> Calibration: ...

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        """Return for each question its spans over all of its passages, best first, at most ``top_k`` per passage."""
        ...


class OpenIndex(Protocol):
    """An index as the service uses it; see ``service.opening`` for the one on disk."""

    @property
    def retriever(self) -> Retriever: ...

    @property
    def info(self) -> IndexInfo: ...

    def document(self, document_id: str) -> Document:
        """Return a stored document whole; raise UsageError where there is none under that id."""
        ...

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        ...
