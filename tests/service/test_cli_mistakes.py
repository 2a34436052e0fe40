"""Mistakes on the command line: one line on stderr that says what is wrong, exit code 1 or 2, no traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASKED = "When was the canal opened?"
Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (("ask", ASKED, "--index", "{index}", "-k", "0"), 2, "from 1 to 100"),
        (("ask", ASKED, "--index", "{index}", "-k", "101"), 2, "from 1 to 100"),
        (("search", ASKED, "--index", "{index}", "-k", "-5"), 2, "from 1 to 100"),
        (("ask", ASKED, "--index", "{index}", "-k", "many"), 2, "integer"),
        (("ask", "", "--index", "{index}"), 2, "empty"),
        (("search", " \t", "--index", "{index}"), 2, "empty"),
        (("ask", "x" * 2001, "--index", "{index}"), 2, "2,000"),
        (("ask", "a\udce9", "--index", "{index}"), 2, "the byte 0xE9 at character 2: send it as valid UTF-8"),
        (("ask", ASKED, "--index", "{index}", "--device", "tpu"), 2, "tpu"),
        (("show", "{index}", "--document", "a\udce9"), 2, "holds no document"),
        (("ask", ASKED), 2, "--index"),
        (("ask", "--index", "{index}"), 2, "QUESTION"),
        (("ask", ASKED, "--index", "{tmp}/none"), 1, "none"),
        (("search", ASKED, "--index", "{tmp}"), 1, "spanglot index"),
        (("info", "{tmp}"), 1, "spanglot index"),
        (("show", "{index}", "--document", "nobody"), 2, "nobody"),
        (("delete", "{index}", "--document", "nobody"), 2, "nothing was deleted"),
        (("delete", "{index}", "--source", "{tmp}/gone"), 2, "{tmp}/gone"),
        (("delete", "{index}"), 2, "nothing to delete is named"),
        (("delete", "{tmp}/none", "--document", "a"), 1, "spanglot index"),
        (("delete", "{tmp}", "--document", "a"), 1, "neither empty nor an index"),
        (("verify", "{tmp}/none"), 1, "spanglot index"),
        (("verify", "{tmp}/none", "--repair"), 1, "spanglot index"),
        (("compact", "{tmp}/none"), 1, "spanglot index"),
        (("index", "{tmp}/missing.jsonl", "--into", "{tmp}/x"), 2, "missing.jsonl"),
        (("index", "{tmp}/new\nline", "--into", "{tmp}/x"), 2, "new line"),
        (("index", "{tmp}/empty", "--into", "{tmp}/x"), 1, "empty"),
        (("index", "--into", "{tmp}/x"), 2, "SOURCE"),
        (("index", "{tmp}/empty/../a.txt", "--into", "{tmp}/a.txt"), 1, "a.txt"),
        (("serve", "--index", "{index}", "--port", "70000"), 2, "70000"),
        (("evaluate",), 2, "command"),
        (("askk", ASKED), 2, "ask"),
        (("--bad",), 2, "--bad"),
    ],
    ids=lambda value: " ".join(value)[:50].encode("ascii", "replace").decode() if isinstance(value, tuple) else None,
)
def test_mistakes_are_one_line(
    run: Run, index_directory: Path, tmp_path: Path, arguments: tuple[str, ...], exit_code: int, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("Ada opened it in 1901.")
    filled = [
        argument.replace("{index}", str(index_directory)).replace("{tmp}", str(tmp_path)) for argument in arguments
    ]
    assert told.replace("{tmp}", str(tmp_path)) in run(*filled).error(exit_code)
    assert not (tmp_path / "x").exists()


def test_an_index_of_another_embedder_is_refused(
    run: Run, tmp_path: Path, embedder: object, monkeypatch: object
) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"id": "a", "text": "Ada opened it in 1901."}\n', encoding="utf-8")
    run("index", str(source), "--into", str(tmp_path / "x"))

    class Other(type(embedder)):  # type: ignore[misc]
        revision = "2"

    monkeypatch.setattr("indexer.embedding.load_embedder", lambda name=None, *, device="auto": Other())  # type: ignore[attr-defined]
    for arguments in (("index", str(source), "--into"), ("ask", ASKED, "--index")):
        line = run(*arguments, str(tmp_path / "x")).error(1)
        assert "revision 1" in line
        assert "revision 2" in line


def test_a_port_in_use_is_one_line(run: Run, index_directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}: " in run("serve", "--index", str(index_directory), "--port", str(port)).error(1)


def test_a_question_of_ten_megabytes_on_standard_input_is_one_line(spawn: Run, index_directory: Path) -> None:
    assert "2,000" in spawn(["ask", "-", "--index", str(index_directory)], stdin=b"why " * 2_500_000).error(2)


def test_a_closed_standard_input_is_one_line(run: Run, index_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input is closed" in run("ask", "-", "--index", str(index_directory)).error(2)


def test_bytes_that_are_no_utf8_are_one_line(spawn: Run, index_directory: Path) -> None:
    assert "UTF-8" in spawn([b"ask", b"caf\xe9?", b"--index", os.fsencode(index_directory)]).error(2)
    assert "UTF-8" in spawn(["ask", "-", "--index", str(index_directory)], stdin=b"caf\xe9?").error(2)


def test_text_that_stdout_cannot_carry_is_escaped(spawn: Run, index_directory: Path) -> None:
    done = spawn(
        ["show", str(index_directory), "--document", "th-rice", "--json"], environment={"PYTHONIOENCODING": "ascii"}
    )
    assert (done.exit_code, json.loads(done.stdout)["title"]) == (0, "ข้าว")
    assert (
        spawn(
            ["show", str(index_directory), "--document", "th-rice"], environment={"PYTHONIOENCODING": "ascii"}
        ).exit_code
        == 0
    )


def test_a_reader_that_has_left_is_no_error(index_directory: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "show", str(index_directory), "--document", "en-canal"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    finally:
        os.close(writing)
    assert done.stderr == b""


def test_an_interrupt_ends_with_130(run: Run, index_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("reader.load_reader", interrupted)
    assert run("ask", ASKED, "--index", str(index_directory)).error(130) == "spanglot: error: interrupted"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "/cache/x"), "free some space"),
        (OSError(30, "Read-only file system", "/cache/x"), "read-only"),
        (PermissionError(13, "Permission denied", "/cache/x"), "permission"),
        (MemoryError(), "memory"),
    ],
    ids=["full", "read-only", "denied", "memory"],
)
def test_failures_of_the_machine_are_one_line(
    run: Run, index_directory: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr("reader.load_reader", fail)
    assert told in run("ask", ASKED, "--index", str(index_directory)).error(1)


def test_a_defect_of_the_program_keeps_its_traceback(
    run: Run, index_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("reader.load_reader", fail)
    with pytest.raises(ZeroDivisionError):
        run("ask", ASKED, "--index", str(index_directory))
