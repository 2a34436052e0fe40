"""Refuse what no stage could serve, before anything is loaded or computed."""

from __future__ import annotations

from collections.abc import Sequence

from corpora.errors import QuestionError, UsageError
from service.settings import MAX_CONTEXT_LENGTH, MAX_TOP_K


def check_top_k(top_k: int) -> int:
    """Return ``top_k`` where it is a whole number from 1 to 100; raise UsageError elsewhere."""
    if not isinstance(top_k, int) or isinstance(top_k, bool) or not 1 <= top_k <= MAX_TOP_K:
        raise UsageError(f"top_k is {top_k!r}: give a whole number from 1 to {MAX_TOP_K}")
    return top_k


def check_context(context: str) -> str:
    """Return ``context`` as it is where it can be read; raise UsageError where it is blank, too long or unencodable."""
    if not context.strip():
        raise UsageError("the context is empty: give the text that should be read")
    if len(context) > MAX_CONTEXT_LENGTH:
        raise UsageError(
            f"the context has {len(context):,} characters: give at most {MAX_CONTEXT_LENGTH:,}, or index the text"
        )
    try:
        context.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the context holds a lone surrogate at character {error.start + 1}: give valid Unicode text"
        ) from None
    return context


def check_questions(questions: Sequence[str]) -> list[str]:
    """Return the questions without white space at their edges; raise QuestionError for the first unusable one."""
    from corpora.questions import validate_question

    checked = []
    for number, question in enumerate(questions, start=1):
        try:
            checked.append(validate_question(question))
        except QuestionError as error:
            if len(questions) == 1:
                raise
            raise QuestionError(f"question {number} of {len(questions)}: {error}") from error
    return checked
