"""Passages that a search finds for a question and that do not answer it: the negatives that a reader meets in use."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from reader.questions import GoldQuestion

Nearest = Callable[[Sequence[str], Sequence[str], int], Sequence[Sequence[int]]]
"""Questions, passages and a number k: the places of the k nearest passages of each question, best first."""

_MOST_PASSAGES = 1500  # that are searched: each costs an embedding
_NEAREST = 6  # passages of a question from which its negative is drawn


def retrieved_negatives(
    questions: Sequence[GoldQuestion], share: float, nearest: Nearest, drawn: random.Random
) -> dict[int, str]:
    """Draw a ``share`` of the answerable questions and find for each a passage, in any language, without its answer.

    Return the passages by the identity (``id``) of their questions; a question of which every near passage holds the
    answer's words is left out. The passages searched are those of all ``questions``, or a sample of them.
    """
    chosen = [question for question in questions if question.answers and drawn.random() < share]
    passages = list(dict.fromkeys(question.context for question in questions))
    if len(passages) > _MOST_PASSAGES:
        passages = drawn.sample(passages, _MOST_PASSAGES)
    wrong: dict[int, str] = {}
    found = nearest([question.question for question in chosen], passages, _NEAREST) if chosen else []
    for question, places in zip(chosen, found, strict=True):
        others = [passages[place] for place in places if _is_wrong(question, passages[place])]
        if others:
            wrong[id(question)] = drawn.choice(others)
    return wrong


def _is_wrong(question: GoldQuestion, passage: str) -> bool:
    return passage != question.context and all(answer.text not in passage for answer in question.answers)
