"""A deletion, a compaction and a repair are killed before each statement and file operation, and done again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from corpora.documents import Document
from indexer import delete_documents

REPOSITORY = Path(__file__).parents[2]
SCRIPT = f"""
import itertools, json, os, shutil, signal, sys
sys.path[:0] = [{str(REPOSITORY)!r}]
import faiss
from indexer import DamagedIndex, DocumentNotFound, Index, compact_index, delete_documents, files, store, verify_index

ORIGIN, COPY, CHANGE = sys.argv[1:]

def change():
    if CHANGE == "delete":
        delete_documents(COPY, ids=["danube", "nile"])
    elif CHANGE == "compact":
        compact_index(COPY)
    else:
        verify_index(COPY, repair=True)

def killed_at(number):
    calls = itertools.count(1)
    def counted(function):
        def call(*arguments, **named):
            if next(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)
        return call
    for place, names in (
        (store.PassageStore, ["query"]),
        (files, ["write_synced", "replace_synced", "sync_directory"]),
        (shutil, ["rmtree"]),
    ):
        for name in names:
            setattr(place, name, counted(getattr(place, name)))
    change()
    os._exit(0)

def state():
    try:
        with Index.open(COPY) as index:
            ids = [document.id for document in index.documents()]
    except DamagedIndex:
        ids = None
    return {{"ids": ids, "problems": [problem.message for problem in verify_index(COPY).problems]}}

for number in itertools.count(1):
    shutil.copytree(ORIGIN, COPY)
    child = os.fork()
    if child == 0:
        killed_at(number)
    status = os.waitpid(child, 0)[1]
    after = state()
    try:
        change()
    except DocumentNotFound:
        pass
    size = os.stat(os.path.join(COPY, "index.sqlite3")).st_size
    print(json.dumps({{"status": status, "after": after, "again": state(), "size": size}}))
    shutil.rmtree(COPY)
    if status == 0:
        break
"""


def trials(origin: Path, change: str) -> list[dict[str, Any]]:
    """Return what was found after each trial; the last one was not killed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(origin), str(origin.with_name("copy")), change],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [trial["status"] for trial in found] == [9] * (len(found) - 1) + [0]
    return found


@pytest.fixture
def library(build, rivers, tmp_path):
    build(tmp_path / "library", rivers)
    return tmp_path / "library"


def test_a_killed_deletion_has_happened_or_not_and_the_same_call_finishes_it(library):
    found = trials(library, "delete")
    assert len(found) > 30
    # First nothing has happened, then all of it; in between it is sealed, and readers still see the old documents.
    happened = [trial["after"]["ids"] == ["volga"] for trial in found]
    assert happened == sorted(happened)
    assert (happened[0], happened[-1]) == (False, True)
    assert all(trial["after"]["ids"] in (["danube", "volga", "nile"], ["volga"]) for trial in found)
    problems = [problem for trial in found for problem in trial["after"]["problems"]]
    assert problems
    assert all("was never published" in problem for problem in problems)
    assert all(trial["again"] == {"ids": ["volga"], "problems": []} for trial in found)


def test_a_killed_compaction_leaves_a_sound_index_and_the_same_call_finishes_it(library, build):
    build(library, [Document(id="long", text="A long line. " * 3000)])
    delete_documents(library, ids=["long"])
    found = trials(library, "compact")
    assert len(found) > 10
    sound = {"ids": ["danube", "volga", "nile"], "problems": []}
    assert all((trial["after"], trial["again"]) == (sound, sound) for trial in found)
    assert len({trial["size"] for trial in found}) == 1


def test_a_killed_repair_has_happened_or_not_and_the_same_call_finishes_it(library):
    path = library / "generations" / "1" / "vectors.faiss"
    path.write_bytes(path.read_bytes()[:-1])
    found = trials(library, "repair")
    happened = [trial["after"]["ids"] is not None for trial in found]
    assert (happened[0], happened[-1]) == (False, True)
    assert happened == sorted(happened)
    for trial in found:
        assert len(trial["after"]["problems"]) == (trial["after"]["ids"] is None)
        assert trial["again"] == {"ids": ["danube", "volga", "nile"], "problems": []}
