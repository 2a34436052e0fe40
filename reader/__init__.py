"""Reads passages for the words that answer a question: spans with scores that compare, and their calibration."""

from __future__ import annotations

from reader.calibration import Calibration
from reader.checkpoint import load_reader
from reader.errors import ReaderError
from reader.pipeline import question_answering
from reader.reading import XlmReader
from reader.spans import AnswerSpan

__all__ = [
    "AnswerSpan",
    "Calibration",
    "ReaderError",
    "XlmReader",
    "load_reader",
    "question_answering",
]
