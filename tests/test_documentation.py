"""The pages say what is: help texts, examples and links are compared with the code, or run.

In any page ``<!-- runs -->`` before a Python block has it run, in a folder with a small index ``library``, and with
small real parts where ``load_embedder`` and ``load_reader`` would load a model; a ``text`` block right behind it is
what it prints. Other Python blocks are compiled. ``python -m tests.documented`` writes help texts and replies anew.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import typer

from service import cli, failures
from service.commands import index as index_command
from tests.documented import (
    COMMAND_LINE,
    FENCE,
    HELP,
    PACKAGES,
    ROOT,
    TrigramEmbedder,
    YearReader,
    code_in,
    help_text,
    make_library,
    page,
    table,
    without_fences,
)

PAGES = [path.relative_to(ROOT).as_posix() for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]
PYTHON = re.compile(
    r"(?P<runs><!-- runs -->\n)?```python\n(?P<code>.*?)```(?:\n\n```text\n(?P<prints>.*?)```)?", re.DOTALL
)
BLOCKS = {f"{name}-{number}": found for name in PAGES for number, found in enumerate(PYTHON.finditer(page(name)), 1)}
SHELLS = {"", "sh", "bash", "shell", "console"}
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
OUR_FILE = re.compile(rf"`((?:{'|'.join(PACKAGES)}|tests|docs|benchmarks)/[\w./-]+)`")


def commands() -> dict[str, Any]:
    """Return every command by its full name, groups before what is in them."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [("spanglot", typer.main.get_command(cli.app))]
    while waiting:
        name, command = waiting.pop(0)
        found[name] = command
        waiting += [(f"{name} {child}", below) for child, below in getattr(command, "commands", {}).items()]
    return found


def test_every_command_is_documented_once() -> None:
    documented = [match[1] for match in HELP.finditer(page(COMMAND_LINE))]
    assert sorted(documented) == sorted(commands())
    assert {"spanglot ask", "spanglot evaluate reader"} <= set(documented)


@pytest.mark.parametrize("command", commands())
def test_help_texts_are_the_real_ones(command: str) -> None:
    shown = {match[1]: match[3] for match in HELP.finditer(page(COMMAND_LINE))}
    assert shown[command] == f"```text\n{help_text(command)}\n```\n"


def test_exit_codes() -> None:
    known = {0, failures.ERROR, failures.USAGE_ERROR, index_command.PARTLY_REJECTED, cli.INTERRUPTED}
    assert {int(code) for code in table(COMMAND_LINE, "code")} == known


def test_environment_variables() -> None:
    product = "".join(path.read_text(encoding="utf-8") for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    assert code_in(list(table(COMMAND_LINE, "variable"))) == set(re.findall(r"SPANGLOT_[A-Z_]+", product))


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each call of spanglot or make in a page's shell blocks, up to a pipe or redirection."""
    for language, block in FENCE.findall(text):
        for line in block.splitlines() if language in SHELLS else ():
            if re.match(r"(?:\$ )?(?:spanglot|make) ", line):
                words = shlex.split(line.removeprefix("$ "), comments=True)
                yield words[: min((words.index(end) for end in ("|", "<", ">", "&&") if end in words), default=None)]


def check_call(words: list[str]) -> None:
    """Have the real parser take a call of spanglot, or find the targets of a call of make."""
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z]+):.*## ", page("Makefile"), re.MULTILINE))
        assert {word for word in words[1:] if "=" not in word} <= targets
        return
    known = commands()
    depth = max(count for count in range(1, len(words) + 1) if " ".join(words[:count]) in known)
    known[" ".join(words[:depth])].make_context("spanglot", words[depth:])


@pytest.mark.parametrize("name", PAGES)
def test_command_lines_in_the_pages_can_be_parsed(name: str) -> None:
    for words in command_lines(page(name)):
        check_call(words)


@pytest.mark.parametrize("call", ["spanglot ask who --index x --bogus", "spanglot ask who", "make nothing"])
def test_the_check_of_command_lines_sees_mistakes(call: str) -> None:
    (words,) = command_lines(f"```sh\n$ {call} > out.txt  # a remark\n```\n")
    with pytest.raises((typer.exceptions.TyperException, AssertionError)):
        check_call(words)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("documentation"))


@pytest.mark.parametrize("name", BLOCKS)
def test_python_in_the_pages(name: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(BLOCKS[name]["code"], name, "exec", dont_inherit=True)
    if BLOCKS[name]["runs"] is None:
        return
    shutil.copytree(library, tmp_path / "library")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda name=None, *, device="auto": TrigramEmbedder())
    monkeypatch.setattr("reader.load_reader", lambda path=None, **options: YearReader())
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, {"__name__": "documentation"})
    if BLOCKS[name]["prints"] is not None:
        assert out.getvalue() == BLOCKS[name]["prints"]


def test_some_python_in_the_pages_is_run() -> None:
    assert sum(block["runs"] is not None for block in BLOCKS.values()) >= 5
    assert sum(page(name).count("<!-- runs -->") for name in PAGES) == sum(
        block["runs"] is not None for block in BLOCKS.values()
    )


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_fences(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, place: Path) -> list[str]:
    broken = []
    for link in LINK.findall(without_fences(text)):
        path, _, anchor = link.partition("#")
        target = place.parent / path if path else place
        if re.match(r"[a-z]+:", link) is None and (
            not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8")))
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert broken_links(page(name), ROOT / name) == []


def test_the_check_of_links_sees_broken_ones() -> None:
    text = "[a](http.md) [b](http.md#errors) [c](none.md) [d](http.md#none) [e](https://example.org) [f](#none)"
    assert broken_links(text, ROOT / "docs/scoring.md") == ["none.md", "http.md#none", "#none"]


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_exist(name: str) -> None:
    assert [path for path in OUR_FILE.findall(page(name)) if not (ROOT / path).exists()] == []
