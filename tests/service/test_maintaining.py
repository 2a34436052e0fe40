"""``spanglot delete``, ``verify``, ``compact`` and ``index --sync``: what they print, and how they end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def library(index_directory: Path, tmp_path: Path) -> str:
    """A copy of the index, of four documents with one passage each but for one of more."""
    return str(shutil.copytree(index_directory, tmp_path / "library"))


def ids(run: Run, library: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(run("info", library, "--json").stdout)["languages"]
    return found


def test_delete_says_what_is_left(run: Run, library: str) -> None:
    done = run("delete", library, "--document", "en-toll", "--document", "th-rice")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{library}: 2 documents deleted; 2 documents with ")
    assert ids(run, library) == {"de": 1, "en": 1}
    assert "en-toll" in run("show", library, "--document", "en-toll").error(2)


def test_delete_json_by_source_and_language(run: Run, library: str) -> None:
    done = run("delete", library, "--source", "/corpus", "--language", "en", "--json")
    found = json.loads(done.stdout)
    assert list(found) == ["index", "generation", "deleted", "documents", "passages"]
    assert (found["index"], found["generation"], found["deleted"], found["documents"]) == (library, 2, 2, 2)
    assert ids(run, library) == {"de": 1, "th": 1}


def test_verify_ends_with_one_until_the_damage_is_repaired(run: Run, library: str) -> None:
    sound = run("verify", library)
    assert sound.exit_code == 0
    assert sound.stdout.startswith(f"{library}: sound; 4 documents, ")
    path = Path(library, "generations", "1", "lexical.arrays")
    path.write_bytes(path.read_bytes()[:-1])
    damaged = run("verify", library)
    assert damaged.exit_code == 1
    assert damaged.stderr == ""
    first, last = damaged.stdout.splitlines()
    assert first.startswith(f"{path} is damaged (")
    assert "spanglot verify --repair" in first
    assert last == f"{library}: damaged; problems: 1"
    assert "lexical.arrays" in run("info", library).error(1)
    repaired = run("verify", library, "--repair")
    assert (repaired.exit_code, repaired.stdout.splitlines()[0]) == (0, first)
    assert repaired.stdout.splitlines()[1].startswith(f"{library}: repaired; 4 documents, ")
    assert run("verify", library).exit_code == 0
    assert run("search", "canal", "--index", library).exit_code == 0


def test_verify_json_says_what_cannot_be_repaired(run: Run, library: str) -> None:
    database = Path(library, "index.sqlite3")
    data = bytearray(database.read_bytes())
    data[data.index(b"Ships pay a toll.")] ^= 1
    database.write_bytes(data)
    done = run("verify", library, "--repair", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert list(found) == ["index", "sound", "repaired", "documents", "passages", "problems"]
    (problem,) = found["problems"]
    assert (found["sound"], found["repaired"], problem["repairable"]) == (False, False, False)
    assert "row 1 of table documents" in problem["message"]


def test_compact_says_what_it_freed(run: Run, library: str) -> None:
    run("delete", library, "--document", "en-toll")
    found = json.loads(run("compact", library, "--json").stdout)
    assert list(found) == ["index", "removed", "freed_bytes", "bytes"]
    assert (found["removed"], found["freed_bytes"] > 0) == ({"documents": 1, "passages": 1}, True)
    again = run("compact", library)
    assert again.exit_code == 0
    assert again.stdout.startswith(f"{library}: 0 documents with 0 passages removed; ")


def test_sync_removes_what_its_sources_no_longer_hold(run: Run, tmp_path: Path) -> None:
    notes, other, library = tmp_path / "notes", tmp_path / "notes2", tmp_path / "x"
    for folder, name in ((notes, "a"), (notes, "b"), (other, "c")):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text(f"{name.upper()} opened in 1901.", encoding="utf-8")
    run("index", str(notes), str(other), "--into", str(library))
    (notes / "a.txt").unlink()
    (other / "c.txt").unlink()
    arguments = ("index", str(notes), "--into", str(library), "--json")
    assert json.loads(run(*arguments).stdout)["documents"]["removed"] == 0
    counts = json.loads(run(*arguments, "--sync").stdout)["documents"]
    assert counts == {"added": 0, "replaced": 0, "unchanged": 1, "removed": 1}
    assert "a.txt" in run("show", str(library), "--document", "a.txt").error(2)
    for kept in ("b.txt", "c.txt"):
        assert run("show", str(library), "--document", kept).exit_code == 0
    assert "1 unchanged, 0 removed;" in run(*arguments[:-1], "--sync").stdout


def test_sync_keeps_the_documents_of_what_could_not_be_read(run: Run, tmp_path: Path) -> None:
    notes, library = tmp_path / "notes", tmp_path / "x"
    notes.mkdir()
    rows = [json.dumps({"id": name, "text": f"{name} opened in 1901."}) for name in "pq"]
    (notes / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (notes / "a.txt").write_text("A opened in 1901.", encoding="utf-8")
    (notes / "b.txt").write_text("B opened in 1901.", encoding="utf-8")
    run("index", str(notes), "--into", str(library))
    (notes / "rows.jsonl").write_text(f"{rows[0]}\n{{", encoding="utf-8")
    (notes / "a.txt").write_bytes(b"\xff\xfe")
    (notes / "b.txt").unlink()
    done = run("index", str(notes), "--into", str(library), "--sync", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["documents"] == {"added": 0, "replaced": 0, "unchanged": 1, "removed": 1}
    for kept in ("p", "q", "a.txt"):
        assert run("show", str(library), "--document", kept).exit_code == 0
