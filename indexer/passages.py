"""What retrieval returns."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.documents import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievedPassage:
    """A passage with its place in the ranking (``rank`` counts from 1) and the parts of its score.

    ``score`` orders the ranking. ``dense_score`` is the cosine of the question's vector
    and the passage's, the mean of the passage's language taken away;
    ``lexical_score`` is None where no lexical search took part.
    """

    passage: Passage
    score: float
    rank: int
    dense_score: float | None = None
    lexical_score: float | None = None
