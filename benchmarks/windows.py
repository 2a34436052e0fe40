"""Windows of real lengths: the sample questions on passages of the sample corpus."""

from __future__ import annotations

from collections.abc import Sequence

from corpora import ReadReport, read_documents, sample_documents, sample_questions
from encoder import base_model_directory, load_tokenizer
from reader.checkpoint import default_reader_directory
from reader.reading import FastPieces
from reader.settings import SETTINGS_FILE, read_settings
from reader.windows import Window, make_windows
from service.opening import make_splitter


def sample_windows(count: int) -> list[Window]:
    """Return ``count`` windows, each question on the next passages of the corpus."""
    settings = read_settings(default_reader_directory() / SETTINGS_FILE)
    pieces = FastPieces(load_tokenizer(base_model_directory()))
    splitter = make_splitter()
    documents = read_documents([sample_documents()], report=ReadReport())
    passages = [passage for document in documents for passage in splitter.split(document)]
    questions = pieces.encode_questions([question.question for question in sample_questions()])
    shown = pieces.encode_passages([passage.text for passage in passages])
    windows: list[Window] = []
    for place in range(count):
        question, passage = questions[(place // 10) % len(questions)], shown[place % len(shown)]
        windows += make_windows(place, question, (), passage, settings.pair, settings.limits)
    return windows[:count]


def token_count(windows: Sequence[Window]) -> int:
    """Return the number of tokens, padding not counted."""
    return sum(len(window.ids) for window in windows)
