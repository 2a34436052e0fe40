"""What a reader finds: a span of a passage with its raw scores."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.documents import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSpan:
    """The words ``passage.text[start:end]`` offered as an answer.

    ``start`` and ``end`` are half-open code point offsets in the *passage*. ``score`` is the raw start logit
    plus the log-probability of the end given the start (plus the raw end logit where ends do not depend on starts):
    higher is better, comparable between windows, passages and questions, and no probability.
    ``no_answer_score`` is the raw logit for "this passage does not answer"; it is the same for all spans of one
    passage.
    """

    passage: Passage
    start: int
    end: int
    score: float
    no_answer_score: float

    @property
    def text(self) -> str:
        """The words themselves."""
        return self.passage.text[self.start : self.end]
