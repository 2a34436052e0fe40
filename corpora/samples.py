"""The sample corpus that ships with Spanglot, and the questions that belong to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuestion:
    """A question about the sample corpus.

    ``answers`` are the accepted wordings; none means that the corpus does not answer, and ``document_id`` is None.
    """

    id: str
    question: str
    language: str
    answers: tuple[str, ...]
    document_id: str | None


def sample_documents() -> Path:
    """Return the folder of the sample documents, one JSONL file per language."""
    return _SAMPLES / "documents"


def sample_questions() -> list[SampleQuestion]:
    """Read the sample questions, in the order of their file."""
    lines = (_SAMPLES / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    return [_sample_question(json.loads(line)) for line in lines if line.strip()]


def _sample_question(row: dict[str, object]) -> SampleQuestion:
    answers = row["answers"]
    document_id = row["document_id"]
    if not isinstance(answers, list):
        raise TypeError(f"sample question {row['id']!r}: answers must be a list")
    return SampleQuestion(
        id=str(row["id"]),
        question=str(row["question"]),
        language=str(row["language"]),
        answers=tuple(str(answer) for answer in answers),
        document_id=None if document_id is None else str(document_id),
    )
