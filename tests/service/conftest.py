"""Small real parts: an embedder of character n-grams, a reader that goes by common words, and an index on disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora import Document, Passage, Splitter
from indexer import Index, build_index
from reader.settings import XLM_ROBERTA_PAIR, ReaderSettings
from reader.spans import AnswerSpan
from service.answering import QuestionAnswerer
from service.cli import main
from service.opening import DiskIndex

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    Document(
        id="en-canal",
        title="The canal",
        language="en",
        source="/corpus/canals.jsonl",
        text="Ships pay a toll. The canal was opened in 1869. It has no locks. The canal is 193 kilometres long.",
        metadata={"author": "B. Marlow"},
    ),
    Document(
        id="de-orgel",
        title="Die Orgel",
        language="de",
        source="/corpus/orgel.md",
        text="Die Orgel wurde 1735 von Johann Berger gebaut. Sie hat vier Manuale. 🎹 Sie steht in Lindau.",
    ),
    Document(
        id="th-rice",
        title="ข้าว",
        language="th",
        source="-",
        text="ข้าวหอมมะลิ ปลูกมากใน ทุ่งกุลาร้องไห้ ทางภาคอีสาน",
    ),
    Document(
        id="en-toll",
        title="Tolls",
        language="en",
        source="/corpus/canals.jsonl",
        text="The toll was first asked in 1869.",
    ),
)


def word_offsets(text: str) -> list[tuple[int, int]]:
    """Count words as tokens."""
    return [match.span() for match in re.finditer(r"\S+", text)]


class NgramEmbedder:
    """Unit vectors of hashed character trigrams: texts that share words are near each other."""

    name = "character-trigrams"
    revision = "1"
    dimension = 256

    def encode_query(self, texts: list[str]) -> np.ndarray:
        """Return one row for each text."""
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            padded = f"  {text.casefold()}  "
            for place in range(len(padded) - 2):
                row[zlib.crc32(padded[place : place + 3].encode()) % self.dimension] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))

    encode_document = encode_query


class WordCalibration:
    """A quarter for each word in common, less a half where the passage has none in common."""

    threshold = 0.5

    def probability(self, span_score: object, no_answer_score: object, retrieval_margin: object) -> np.ndarray:
        """Return probabilities of the shape of the scores."""
        return np.clip(np.asarray(span_score) / 4 - np.asarray(no_answer_score) / 2, 0, 1)


class CommonWordReader:
    """Answers with the numbers of a passage, scored by the words that their sentence shares with the question."""

    name = "common-words"
    revision = "1"
    settings = ReaderSettings(name=name, pair=XLM_ROBERTA_PAIR, trained_on=("canals",))
    calibration = WordCalibration()

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        """Return for each question its spans, best first, at most ``top_k`` for a passage."""
        return [
            sorted((span for each in some for span in self._read(question, each)[:top_k]), key=_score, reverse=True)
            for question, some in zip(questions, passages, strict=True)
        ]

    def _read(self, question: str, passage: Passage) -> list[AnswerSpan]:
        asked = set(re.findall(r"\w+", question.casefold()))
        found = []
        for sentence in re.finditer(r"[^.]+", passage.text):
            common = len(asked & set(re.findall(r"\w+", sentence.group().casefold())))
            for word in re.finditer(r"\d+", sentence.group()):
                start = sentence.start() + word.start()
                end = sentence.start() + word.end()
                found.append((common, start, end))
        best = max((common for common, _, _ in found), default=0)
        spans = [
            AnswerSpan(passage=passage, start=start, end=end, score=float(common), no_answer_score=float(best == 0))
            for common, start, end in found
        ]
        return sorted(spans, key=_score, reverse=True)


def _score(span: AnswerSpan) -> float:
    return span.score


@pytest.fixture(scope="session")
def embedder() -> NgramEmbedder:
    return NgramEmbedder()


@pytest.fixture(scope="session")
def reader() -> CommonWordReader:
    return CommonWordReader()


@pytest.fixture(scope="session")
def documents() -> tuple[Document, ...]:
    return DOCUMENTS


@pytest.fixture(scope="session")
def splitter() -> Splitter:
    return Splitter(word_offsets, target_tokens=12, max_tokens=16)


@pytest.fixture(scope="session")
def index_directory(tmp_path_factory: pytest.TempPathFactory, embedder: NgramEmbedder, splitter: Splitter) -> Path:
    directory = tmp_path_factory.mktemp("service") / "small-index"
    build_index(directory, DOCUMENTS, embedder=embedder, splitter=splitter)
    return directory


@pytest.fixture
def answerer(index_directory: Path, embedder: NgramEmbedder, reader: CommonWordReader) -> Iterator[QuestionAnswerer]:
    with QuestionAnswerer(DiskIndex(Index.open(index_directory, embedder=embedder)), reader) as opened:
        yield opened


class Outcome:
    """What a command left behind."""

    def __init__(self, exit_code: int, stdout: str, stderr: str) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def error(self, exit_code: int) -> str:
        """Check that the command failed with one line, and return it."""
        assert self.exit_code == exit_code
        assert self.stdout == ""
        assert self.stderr.endswith("\n")
        (line,) = self.stderr.splitlines()
        assert line.startswith("spanglot: error: ")
        return line


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    embedder: object,
    reader: object,
    splitter: Splitter,
) -> Callable[..., Outcome]:
    """Run commands in this process, with the small real parts where a model would be loaded."""
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda name=None, *, device="auto": embedder)
    monkeypatch.setattr("reader.load_reader", lambda path=None, **options: reader)
    monkeypatch.setattr("service.opening.make_splitter", lambda: splitter)

    def run(*arguments: str) -> Outcome:
        exit_code = main(arguments)
        captured = capsys.readouterr()
        return Outcome(exit_code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def spawn() -> Callable[..., Outcome]:
    """Run commands in processes of their own."""

    def spawn(
        arguments: Sequence[str | bytes], *, stdin: bytes = b"", environment: dict[str, str] | None = None
    ) -> Outcome:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **({} if environment is None else environment)}
        command = [sys.executable, "-m", "service.cli", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, env=variables, check=False)
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return spawn
