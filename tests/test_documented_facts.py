"""Facts in the pages that have a counterpart in the code: routes, fields, formats, tables, limits."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from corpora import Splitter, jsonl, languages, questions, reading, sources
from corpora import html as html_reader
from reader.settings import XLM_ROBERTA_PAIR, ReaderSettings
from service import create_app, fitting, judging, retrieval_evaluation
from service.commands import index as index_command
from service.settings import (
    DEFAULT_SEARCH_TOP_K,
    DEFAULT_TOP_K,
    MAX_CONTEXT_LENGTH,
    MAX_QUESTION_LENGTH,
    MAX_TOP_K,
    AnswerSettings,
    ServerSettings,
)
from tests.documented import HTTP, PACKAGES, ROOT, code_in, make_library, open_library, page, real_replies, table


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("documentation"))


# HTTP


@pytest.fixture(scope="module")
def openapi(library: Path) -> dict[str, Any]:
    with open_library(library) as answerer:
        return create_app(answerer).openapi()


def test_examples_are_real(library: Path) -> None:
    replies = list(real_replies(library))
    assert len(replies) == 2
    for example, reply in replies:
        assert json.loads(example["reply"]) == reply


def test_routes_are_the_ones_of_the_application(openapi: dict[str, Any]) -> None:
    paths = openapi["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert code_in(list(table(HTTP, "route"))) == {*served, "GET /openapi.json"}


@pytest.mark.parametrize(
    ("heading", "number", "schema"),
    [
        ("field", 0, "AskBody"),
        ("field", 1, "SearchBody"),
        ("field", 2, "ReadBody"),
        ("key", 0, "AskReply"),
        ("key", 1, "AnswerModel"),
        ("key", 2, "PassageModel"),
        ("key", 3, "Filters"),
    ],
)
def test_fields_are_the_ones_of_the_application(
    openapi: dict[str, Any], heading: str, number: int, schema: str
) -> None:
    described = openapi["components"]["schemas"][schema]
    rows = table(HTTP, heading, number)
    assert code_in(list(rows)) == set(described["properties"])
    if heading == "field":
        required = [name for name, cells in rows.items() if cells[0] == "required"]
        assert code_in(required) == set(described["required"])


def test_statuses_are_the_ones_of_the_application(openapi: dict[str, Any]) -> None:
    described = set(openapi["paths"]["/v1/ask"]["post"]["responses"]) - {"200"}
    assert set(table(HTTP, "status")) == described | {"404", "405", "500"}


# Files


def test_formats_are_the_ones_that_are_read() -> None:
    rows = [code_in(cells[:1]) for cells in table("docs/corpus-formats.md", "format").values()]
    assert set().union(*rows) == set(reading.READERS)
    assert [len({reading.READERS[suffix] for suffix in row}) for row in rows] == [1] * len(rows)


def test_the_files_of_an_index(library: Path) -> None:
    found = [path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()]
    written = {re.sub(r"/\d+/", "/<n>/", name) for name in found} - {"index.sqlite3-wal", "index.sqlite3-shm"}
    listing = re.findall(r"(?:^    \S+  .*\n)+", page("docs/index-format.md"), re.MULTILINE)[0]
    assert {line.split()[0] for line in listing.splitlines()} == written


def test_the_tables_of_an_index(library: Path) -> None:
    database = sqlite3.connect(library / "index.sqlite3")
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    real = {
        name: {row[1] for row in database.execute(f"PRAGMA table_info({name})")}
        for name in names
        if not name.startswith("sqlite_")
    }
    database.close()
    assert {row.strip("`"): code_in(cells) for row, cells in table("docs/index-format.md", "table").items()} == real


def test_the_import_graph_is_the_real_one() -> None:
    real: dict[str, set[str]] = {package: set() for package in PACKAGES}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            real[package] |= {module.partition(".")[0] for module in modules} & {*PACKAGES} - {package}
    assert {
        name.strip("`"): code_in(cells[1:]) for name, cells in table("docs/architecture.md", "package").items()
    } == real


# Numbers

MEGABYTES = f"{sources.MAX_FILE_BYTES // 2**20:,} MB"
READER = ReaderSettings(name="any", pair=XLM_ROBERTA_PAIR)
SPLITTER = {field.name: field.default for field in dataclasses.fields(Splitter)}


def test_limits_of_http() -> None:
    assert {name: cells[0] for name, cells in table(HTTP, "limit").items()} == {
        "question": f"{MAX_QUESTION_LENGTH:,} characters",
        "context": f"{MAX_CONTEXT_LENGTH:,} characters",
        "`top_k`": str(MAX_TOP_K),
        "body": f"{ServerSettings().max_body_bytes:,} bytes",
        "requests that wait or run at once": str(ServerSettings().max_waiting),
    }
    assert questions.MAX_QUESTION_LENGTH == MAX_QUESTION_LENGTH


def test_limits_of_a_corpus() -> None:
    assert [cells[0] for cells in table("docs/corpus-formats.md", "limit").values()] == [
        MEGABYTES,
        f"{jsonl.MAX_LINE_BYTES // 2**20:,} MB",
        MEGABYTES,
        f"{jsonl.MAX_METADATA_DEPTH:,}",
        f"{html_reader.MAX_TAGS:,}",
        str(languages._SAMPLE),
        f"{reading.MAX_KEPT_ERRORS:,}",
    ]


def test_numbers_of_scoring() -> None:
    answering = AnswerSettings()
    assert {name: int(cells[0]) for name, cells in table("docs/scoring.md", "setting").items()} == {
        "passages retrieved": answering.retrieved_passages,
        "passages read first": answering.read_first,
        "passages read at most": answering.read_passages,
        "spans kept of each passage": answering.spans_per_passage,
        "tokens of a window": READER.limits.window,
        "tokens that two windows share": READER.limits.overlap,
        "tokens of a question": READER.limits.question,
        "start positions looked at": READER.beams,
        "tokens of an answer": READER.max_answer_tokens,
    }


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("http.md", f"answers at most, 1 to {MAX_TOP_K}; {DEFAULT_TOP_K} where left out"),
        ("http.md", f"passages at most, 1 to {MAX_TOP_K}; {DEFAULT_SEARCH_TOP_K} where left out"),
        ("http.md", f"| at most {MAX_QUESTION_LENGTH:,} characters |"),
        ("http.md", f"at most {MAX_CONTEXT_LENGTH:,} characters |"),
        ("corpus-formats.md", f"the first {index_command._SHOWN_ERRORS} of them to stderr"),
        (
            "architecture.md",
            f"about {SPLITTER['target_tokens']} tokens of the base encoder, at most {SPLITTER['max_tokens']}",
        ),
        ("architecture.md", f"asks the index for {AnswerSettings().retrieved_passages} passages"),
        ("architecture.md", f"The first {AnswerSettings().read_passages} go to"),
        ("architecture.md", f"the best {AnswerSettings().read_first} of them at once"),
        ("architecture.md", f"reaches a probability of {AnswerSettings().sure}"),
        ("architecture.md", f"windows of at most {READER.limits.window} tokens"),
        ("scoring.md", f"windows of at most {READER.limits.window} tokens that overlap by {READER.limits.overlap}"),
        ("scoring.md", f"the {READER.beams} best start positions"),
        ("scoring.md", f"at most {READER.max_answer_tokens} tokens, both in the passage"),
        ("scoring.md", f"At most {fitting.ENGLISH} English questions and {fitting.OTHERS} of every other language"),
        ("scoring.md", f"indexes of {fitting.SIZES[0]} paragraphs, a third to indexes of {fitting.SIZES[1]}"),
        ("scoring.md", f"the best {AnswerSettings().read_passages} of {AnswerSettings().retrieved_passages} passages"),
        ("evaluation.md", f"The best {retrieval_evaluation.DEPTH} passages"),
    ],
)
def test_numbers_in_the_text(name: str, phrase: str) -> None:
    assert phrase in " ".join(page(f"docs/{name}").split())


def test_the_rule_of_a_right_answer_is_the_documented_one() -> None:
    assert (judging.MOST_EXTRA_WORDS, judging.MOST_EXTRA_CHARACTERS) == (3, 12)
    text = " ".join(page("docs/scoring.md").split())
    assert "at most three more (twelve characters in scripts without spaces)" in text
