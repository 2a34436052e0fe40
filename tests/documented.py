"""What the documentation tests share: the pages, and a small index with small real parts to ask it with.

``python -m tests.documented`` writes the help texts and the HTTP replies into the pages anew.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from corpora import Passage, ReadReport, Splitter, read_documents
from indexer import Index, build_index
from reader import AnswerSpan, Calibration
from service import QuestionAnswerer, cli, create_app
from service.opening import DiskIndex

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("corpora", "encoder", "indexer", "reader", "service")
COMMAND_LINE, HTTP = "docs/command-line.md", "docs/http.md"

HELP = re.compile(r"(?<=<!-- help: )(spanglot[\w ]*)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
EXAMPLE = re.compile(
    r"<!-- request: (?P<method>\w+) (?P<path>\S+) -->\n```json\n(?P<body>.*?)```\n\n"
    r"<!-- response -->\n```json\n(?P<reply>.*?)```",
    re.DOTALL,
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_fences(text: str) -> str:
    return FENCE.sub("", text)


def table(name: str, heading: str, number: int = 0) -> dict[str, list[str]]:
    """Return the rows below the header that begins with ``heading``, by first cell; its ``number``-th occurrence."""
    found = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n?)+)", page(name), re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[number].splitlines()]
    return {first: rest for first, *rest in rows}


def code_in(cells: Sequence[str]) -> set[str]:
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def help_text(command: str) -> str:
    """Return what a command prints for ``--help`` on a terminal of 80 columns."""
    out, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with redirect_stdout(out):
            assert cli.main([*command.split()[1:], "--help"]) == 0
    finally:
        del os.environ["COLUMNS"]
        os.environ.update({} if columns is None else {"COLUMNS": columns})
    return out.getvalue().strip("\n")


class TrigramEmbedder:
    """Unit vectors of hashed character trigrams."""

    name = "trigrams"
    revision = "1"
    dimension = 256

    def encode_query(self, texts: list[str]) -> np.ndarray:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place in range(len(text) - 2):
                row[zlib.crc32(text[place : place + 3].casefold().encode()) % self.dimension] += 1
        unit: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return unit

    encode_document = encode_query


class YearReader:
    """Answers with the years of a passage, two points for each word that its sentence shares with the question."""

    name = "years"
    calibration = Calibration(bias=-4.0, span=0.5, no_answer=0.5, retrieval=3.0, given=0.8, threshold=0.4)

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        found = []
        for question, some in zip(questions, passages, strict=True):
            wanted = set(re.findall(r"\w+", question.casefold()))
            spans = (span for passage in some for span in self._read(wanted, passage)[:top_k])
            found.append(sorted(spans, key=lambda span: -span.score))
        return found

    def _read(self, wanted: set[str], passage: Passage) -> list[AnswerSpan]:
        spans = []
        for sentence in re.finditer(r"[^.]+", passage.text):
            common = wanted.intersection(re.findall(r"\w+", sentence.group().casefold()))
            for year in re.finditer(r"\d{4}", sentence.group()):
                start, end = (sentence.start() + place for place in year.span())
                score = 2.0 * len(common)
                spans.append(AnswerSpan(passage=passage, start=start, end=end, score=score, no_answer_score=-1.0))
        return spans


def word_offsets(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def make_library(folder: Path) -> Path:
    """Index the document of docs/http.md."""
    (rows,) = re.findall(r"<!-- corpus -->\n```json\n(.*?)```", page(HTTP), re.DOTALL)
    corpus = folder / "bridges.jsonl"
    corpus.write_text(rows, encoding="utf-8")
    documents = read_documents([corpus], report=ReadReport())
    build_index(folder / "library", documents, embedder=TrigramEmbedder(), splitter=Splitter(word_offsets))
    return folder / "library"


def open_library(library: Path) -> QuestionAnswerer:
    return QuestionAnswerer(DiskIndex(Index.open(library, embedder=TrigramEmbedder())), YearReader())


def real_replies(library: Path) -> Iterator[tuple[re.Match[str], dict[str, object]]]:
    """Yield the documented requests with their real replies: numbers to three places, times as zeros."""
    with open_library(library) as answerer, TestClient(create_app(answerer)) as client:
        for example in EXAMPLE.finditer(page(HTTP)):
            reply = client.request(example["method"], example["path"], json=json.loads(example["body"]))
            plain = json.loads(reply.content, parse_float=lambda number: round(float(number), 3))
            if "timings" in plain:
                plain["timings"] = dict.fromkeys(plain["timings"], 0.0)
            yield example, plain


def rewrite() -> None:
    """Write help texts and HTTP replies into the pages."""
    text = HELP.sub(lambda match: f"{match[1]}{match[2]}```text\n{help_text(match[1])}\n```\n", page(COMMAND_LINE))
    (ROOT / COMMAND_LINE).write_text(text, encoding="utf-8")
    text = page(HTTP)
    with tempfile.TemporaryDirectory() as folder:
        for example, reply in real_replies(make_library(Path(folder))):
            shown = example[0].removesuffix(example["reply"] + "```")
            text = text.replace(example[0], f"{shown}{json.dumps(reply, ensure_ascii=False, indent=2)}\n```")
    (ROOT / HTTP).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
