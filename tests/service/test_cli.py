"""The command line: results on stdout, notices on stderr, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASKED = "When was the canal opened?"
Run = Callable[..., Any]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def documents(**counts: int) -> dict[str, int]:
    return dict.fromkeys(("added", "replaced", "unchanged", "removed"), 0) | counts


# Results


def test_ask_prints_answers_with_their_places_and_marks_the_words(run: Run, index_directory: Path) -> None:
    asked = "When was the toll asked, and the canal opened?"
    done = run("ask", asked, "--index", str(index_directory), "-k", "1")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1. 1869  99 %  in 2 places",
        "   en-canal · The canal · en · characters 42-46",
        "   Ships pay a toll. The canal was opened in [[1869]].",
        "",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--language", "de", "--language", "th"], {"de-orgel", "th-rice"}),
        (["--source", "orgel.md"], {"de-orgel"}),
        (["--where", "author=B. Marlow,someone else"], {"en-canal"}),
        (["--where", "author>=B", "--where", "author <= C"], {"en-canal"}),
        (["--where", "author>=C"], set()),
        (["--where", "author = 12345678901234567890, 7e999, 007, B. Marlow"], {"en-canal"}),
        (["--mode", "lexical", "--language", "de"], set()),
    ],
)
def test_search_finds_only_what_the_filters_let(
    run: Run, index_directory: Path, options: list[str], expected: set[str]
) -> None:
    found = json.loads(run("search", ASKED, "--index", str(index_directory), "--json", *options).stdout)
    assert {passage["document_id"] for passage in found["passages"]} == expected


@pytest.mark.parametrize("condition", ["author", "=x", " =x", "author<x", "a==x", "a!=x", "a=>3", "a>==3", "a=", ""])
def test_a_condition_that_is_none_is_named(run: Run, index_directory: Path, condition: str) -> None:
    done = run("ask", ASKED, "--index", str(index_directory), "--where", condition)
    assert done.exit_code == 2
    assert f"--where {condition!r} is no condition: write name=value" in done.stderr


def test_ask_says_when_there_is_no_answer_and_shows_the_candidates(run: Run, index_directory: Path) -> None:
    done = run("ask", "Who painted the ceiling?", "--index", str(index_directory))
    assert done.exit_code == 0
    assert done.stdout.startswith("No answer found (")
    assert "\n1. " in done.stdout


def test_ask_json_has_the_documented_fields(run: Run, index_directory: Path) -> None:
    found = json.loads(run("ask", ASKED, "--index", str(index_directory), "--json").stdout)
    assert list(found) == ["question", "language", "answered", "answers", "no_answer", "timings", "index"]
    best = found["answers"][0]
    assert list(best) == [
        *("text", "score", "document_id", "title", "headings", "page", "source", "language", "start", "end"),
        *("passage", "span_score", "retrieval_score", "support"),
    ]
    assert list(best["passage"]) == ["id", "text", "start"]
    assert (best["text"], best["start"], best["end"], best["source"]) == ("1869", 42, 46, "canals.jsonl")


@pytest.mark.parametrize("flags", [[], ["--allow-pickle"]])
def test_ask_loads_the_reader_that_is_named(
    run: Run, index_directory: Path, reader: object, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    loaded: list[tuple[object, object]] = []

    def load(path: object, *, device: str, allow_pickle: bool) -> object:
        loaded.append((path, allow_pickle))
        return reader

    monkeypatch.setattr("reader.load_reader", load)
    assert run("ask", ASKED, "--index", str(index_directory), "--reader", "owner/name", *flags).exit_code == 0
    assert loaded == [("owner/name", bool(flags))]


def test_search_json_has_the_documented_fields(run: Run, index_directory: Path) -> None:
    found = json.loads(run("search", ASKED, "--index", str(index_directory), "-k", "2", "--json").stdout)
    assert list(found) == ["question", "language", "passages", "timings", "index"]
    assert [list(passage) for passage in found["passages"]] == [
        [
            *("id", "document_id", "title", "text", "start", "language", "page", "source"),
            *("score", "dense_score", "lexical_score", "rank"),
        ]
    ] * 2


def test_search_prints_passages_in_their_order(run: Run, index_directory: Path) -> None:
    lines = run("search", "ทุ่งกุลาร้องไห้", "--index", str(index_directory), "-k", "2").stdout.splitlines()
    assert lines[0].startswith("1. ")
    assert " th-rice · ข้าว · th · - · characters 0-" in lines[0]
    assert lines[3].startswith("2. ")


def test_show_gives_the_document_as_it_is_stored(run: Run, index_directory: Path) -> None:
    shown = json.loads(run("show", str(index_directory), "--document", "en-canal", "--json").stdout)
    assert shown["text"][42:46] == "1869"
    assert (shown["title"], shown["metadata"]) == ("The canal", {"author": "B. Marlow"})
    plain = run("show", str(index_directory), "--document", "en-canal").stdout
    assert plain.splitlines()[:2] == ["en-canal · The canal · en · canals.jsonl", "author: B. Marlow"]
    assert plain.endswith("The canal is 193 kilometres long.\n")


def test_show_changes_no_white_space(run: Run, tmp_path: Path) -> None:
    text = "a\tb  \n\n\t  c" + 200 * " " + "d  \n"
    source = write(tmp_path / "a.jsonl", {"id": "a", "text": text, "language": "en"})
    run("index", str(source), "--into", str(tmp_path / "x"))
    assert run("show", str(tmp_path / "x"), "--document", "a").stdout == f"a · en · a.jsonl\n\n{text}\n"


def test_info_says_what_the_index_holds(run: Run, index_directory: Path) -> None:
    found = json.loads(run("info", str(index_directory), "--json").stdout)
    assert (found["documents"], found["languages"]) == (4, {"de": 1, "en": 2, "th": 1})
    assert found["embedder"] == {"name": "character-trigrams", "revision": "1", "dimension": 256}
    assert "4 (de 1, en 2, th 1)" in run("info", str(index_directory)).stdout


def test_a_document_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    hostile = "It opened in 1869 \x1b]0;gotcha\x07\x1b[2J\x9b31m."
    source = write(tmp_path / "a.jsonl", {"id": "x\x1b[1m", "title": "t\x1b[5m", "text": hostile, "language": "en"})
    run("index", str(source), "--into", str(tmp_path / "x"))
    for command in (("ask", "When opened it?", "--index"), ("search", "opened", "--index"), ("info",)):
        assert not set(run(*command, str(tmp_path / "x")).stdout) & set("\x1b\x07\x9b")
    shown = run("show", str(tmp_path / "x"), "--document", "x\x1b[1m").stdout
    assert not set(shown) & set("\x1b\x07\x9b")


def test_the_question_can_come_from_standard_input(
    run: Run, index_directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "question").write_text(ASKED + "\n", encoding="utf-8")
    with (tmp_path / "question").open(encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        found = json.loads(run("ask", "-", "--index", str(index_directory), "--json").stdout)
    assert found["question"] == ASKED


# Indexing


def test_index_adds_replaces_and_leaves(run: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", {"id": "a", "text": "Ada opened it in 1901."}, {"id": "b", "text": "Bob."})
    arguments = ("index", str(source), "--into", str(tmp_path / "x"), "--json")
    assert json.loads(run(*arguments).stdout)["documents"] == documents(added=2)
    write(
        source, {"id": "a", "text": "Ada opened it in 1902."}, {"id": "b", "text": "Bob."}, {"id": "c", "text": "Cleo."}
    )
    report = json.loads(run(*arguments).stdout)
    assert report["documents"] == documents(added=1, replaced=1, unchanged=1)
    assert (report["rejected"], report["errors"]) == (0, [])
    asked = run("ask", "Who opened it?", "--index", str(tmp_path / "x"), "--json").stdout
    assert json.loads(asked)["answers"][0]["text"] == "1902"


def test_index_reports_rejected_rows_by_line_and_keeps_the_rest(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    good = json.dumps({"id": "a", "text": "Ada."})
    source.write_text(
        "\n".join([good, "{", *['{"id": 1}'] * 24, json.dumps({"id": "z", "text": "Zoe."})]), encoding="utf-8"
    )
    done = run("index", str(source), "--into", str(tmp_path / "x"))
    assert done.exit_code == 3
    assert "2 documents added" in done.stdout
    lines = done.stderr.splitlines()
    assert lines[0] == "25 rows or files could not be used:"
    assert lines[1].startswith(f"  {source}, line 2: ")
    assert (len(lines), lines[-1]) == (22, "  and 5 more")
    found = json.loads(run("index", str(source), "--into", str(tmp_path / "x"), "--json").stdout)
    assert (found["rejected"], len(found["errors"]), found["errors"][0]["line"]) == (25, 20, 2)


def test_index_with_nothing_but_bad_rows_names_them(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text("{\n", encoding="utf-8")
    done = run("index", str(source), "--into", str(tmp_path / "x"))
    assert done.exit_code == 1
    assert f"{source}, line 1: " in done.stderr
    assert "spanglot: error: no documents" in done.stderr


# Start


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from service.cli import main\n"
        "codes = main(['--help']), main(['ask', '--help']), main(['--version'])\n"
        "heavy = {'torch', 'transformers', 'faiss', 'fastapi', 'sentence_transformers', 'numpy', 'rich', 'uvicorn'}\n"
        "print(codes, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0, 0) []"


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    done = run()
    assert done.exit_code == 0
    for command in ("index", "ask", "show", "info", "delete", "verify", "compact", "serve", "demo"):
        assert f"\n  {command} " in done.stdout
