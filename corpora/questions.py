"""The limits that a question must keep, wherever it comes in."""

from __future__ import annotations

from corpora.errors import QuestionError

MAX_QUESTION_LENGTH = 2_000
"""Code points, counted without the white space around the question."""


def validate_question(text: str) -> str:
    """Return the question without the white space around it.

    Raise QuestionError where nothing is left, where more than 2,000 code points are left, or where the text holds a
    lone surrogate and so cannot be written as UTF-8. Nothing inside the question is changed.
    """
    question = text.strip()
    if not question:
        raise QuestionError("the question is empty: write at least one word")
    if len(question) > MAX_QUESTION_LENGTH:
        raise QuestionError(
            f"the question has {len(question):,} characters: at most {MAX_QUESTION_LENGTH:,} are accepted"
        )
    try:
        question.encode("utf-8")
    except UnicodeEncodeError as error:
        culprit = ord(question[error.start])
        # Python stands U+DC80 to U+DCFF for bytes that it cannot decode.
        is_byte = 0xDC80 <= culprit <= 0xDCFF
        what = f"the byte 0x{culprit - 0xDC00:02X}" if is_byte else f"U+{culprit:04X}, half of a surrogate pair,"
        raise QuestionError(
            f"the question holds {what} at character {error.start + 1}: send it as valid UTF-8"
        ) from None
    return question
