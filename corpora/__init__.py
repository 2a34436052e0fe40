"""What is searched: files of every format become documents, and documents become passages."""

from __future__ import annotations

from corpora.documents import Document, Passage, Section
from corpora.errors import (
    CorpusError,
    DuplicateDocument,
    QuestionError,
    RowError,
    SpanglotError,
    UsageError,
)
from corpora.languages import detect_language
from corpora.questions import validate_question
from corpora.reading import ReadReport, read_documents
from corpora.samples import SampleQuestion, sample_documents, sample_questions
from corpora.splitting import Splitter

__all__ = [
    "CorpusError",
    "Document",
    "DuplicateDocument",
    "Passage",
    "QuestionError",
    "ReadReport",
    "RowError",
    "SampleQuestion",
    "Section",
    "SpanglotError",
    "Splitter",
    "UsageError",
    "detect_language",
    "read_documents",
    "sample_documents",
    "sample_questions",
    "validate_question",
]
