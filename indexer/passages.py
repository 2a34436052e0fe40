"""What retrieval returns."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.documents import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievedPassage:
    """A passage with its place in the ranking (``rank`` counts from 1) and the parts of its score.

    ``score`` orders the ranking. ``dense_score`` is the cosine of the question's vector and the passage's, the means of
    their languages taken away; ``lexical_score`` is the share, from 0 to 1, of the question's words that the passage
    covers. A part that was not looked at is None.
    """

    passage: Passage
    score: float
    rank: int
    dense_score: float | None = None
    lexical_score: float | None = None
