"""Disks that are full or not ours to write, and two writers at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import pytest

from corpora.documents import Document
from indexer import Index, StoreError, compact_index, verify_index

REPOSITORY = Path(__file__).parents[2]
PREPARE = f"""
import os, sys
sys.path[:0] = [{str(REPOSITORY)!r}, {str(Path(__file__).parent)!r}]
import faiss, importlib.metadata, resource, conftest
from corpora.documents import Document
from corpora.languages import detect_language
from indexer import Index, StoreError, build_index

detect_language("loaded while the library can be read")

def build(directory, documents):
    build_index(directory, documents, embedder=conftest.TrigramEmbedder(), splitter=conftest.LineSplitter())

def refused(function, *arguments):
    try:
        function(*arguments)
    except StoreError as error:
        print(error)
    else:
        sys.exit("nothing was refused")
"""


def run_child(script: str) -> str:
    child = subprocess.run(
        [sys.executable, "-c", PREPARE + textwrap.dedent(script)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def corpus(count: int) -> list[Document]:
    return [Document(id=f"d{i}", text=f"Line of {i}.") for i in range(count)]


@pytest.mark.parametrize("kilobytes", [1, 100, 250])
def test_a_full_disk_is_one_line_and_keeps_what_was_published(build, embedder, tmp_path, kilobytes):
    build(tmp_path, corpus(20))
    output = run_child(
        f"""
        documents = [Document(id=f"d{{i}}", text=f"Line of {{i}}. " + "x" * 900) for i in range(600)]
        resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes} * 1024, resource.RLIM_INFINITY))
        refused(build, {str(tmp_path)!r}, documents)
        """
    )
    assert f"no room to write the index at {tmp_path}" in output
    assert output.count("\n") == 1
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.manifest.documents == 20
        assert len(index.retriever.retrieve("Line of 7.", top_k=500)) == 20
    assert build(tmp_path, corpus(60)).passages == 60


def test_a_disk_too_full_for_derived_files_keeps_no_part_of_them(build, embedder, tmp_path):
    build(tmp_path, corpus(600))
    (tmp_path / "CURRENT").unlink()
    shutil.rmtree(tmp_path / "generations")
    output = run_child(
        f"""
        resource.setrlimit(resource.RLIMIT_FSIZE, (100 * 1024, resource.RLIM_INFINITY))
        refused(build, {str(tmp_path)!r}, [])
        """
    )
    assert f"no room to write the index at {tmp_path}" in output
    assert list((tmp_path / "generations").iterdir()) == []
    embedder.embedded.clear()
    assert build(tmp_path, []).passages == 600
    assert embedder.embedded == []


def test_a_disk_too_full_to_delete_or_to_compact_loses_nothing(build, tmp_path):
    build(tmp_path, corpus(60))
    output = run_child(
        f"""
        from indexer import compact_index, delete_documents
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        for most in (0, 1000, 10_000, 20_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, unlimited[1]))
            refused(lambda: delete_documents({str(tmp_path)!r}, ids=["d1"]))
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        with Index.open({str(tmp_path)!r}) as index:
            print(sum(1 for _ in index.documents()))
        delete_documents({str(tmp_path)!r}, ids=["d1"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, unlimited[1]))
        refused(lambda: compact_index({str(tmp_path)!r}))
        """
    )
    *refusals, documents, last = output.splitlines()
    assert documents == "60"
    assert all("no room to write the index" in line for line in [*refusals, last])
    assert verify_index(tmp_path).problems == ()
    assert compact_index(tmp_path).documents == 1


def test_a_path_through_a_file_is_refused(build, tmp_path):
    (tmp_path / "file").write_text("x")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=f"{directory}.*give another"):
            build(directory, corpus(1))
    assert (tmp_path / "file").read_text() == "x"


@pytest.fixture
def open_folder():
    """Return a folder that any user may enter; pytest's own is closed to all but its owner."""
    folder = Path(tempfile.mkdtemp(prefix="spanglot-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_read_only_directory_is_refused_for_writing_and_serves_readers(build, open_folder):
    index, empty = open_folder / "index", open_folder / "empty"
    build(index, corpus(3))
    empty.mkdir()
    for path in (index, empty):
        path.chmod(0o555)
    # Root may write anywhere, so the child becomes another user once everything is imported.
    output = run_child(
        f"""
        if os.getuid() == 0:
            os.setuid(65534)
        documents = [Document(id="new", text="New.")]
        refused(build, {str(index)!r}, documents)
        refused(build, {str(empty)!r}, documents)
        refused(build, {str(empty / "new")!r}, documents)
        with Index.open({str(index)!r}, embedder=conftest.TrigramEmbedder()) as index:
            print(len(index.retriever.retrieve("Line of 2.")))
        """
    )
    *refusals, found = output.splitlines()
    assert [str(path) in line for path, line in zip((index, empty, empty), refusals, strict=True)] == [True] * 3
    assert all("give a directory that you may write" in line for line in refusals)
    assert found == "3"
    for path in (index, empty):
        path.chmod(0o755)


def test_a_second_writer_is_told_of_the_first(build, tmp_path):
    seen = []

    def second(_):
        with pytest.raises(StoreError) as refusal:
            build(tmp_path, corpus(2))
        seen.append(str(refusal.value))

    build(tmp_path, corpus(1), progress=second)
    assert f"process {os.getpid()} since 20" in seen[0]
    assert build(tmp_path, corpus(2)).added == 1


def test_readers_beside_a_publishing_writer_see_one_generation_each(build, embedder, tmp_path):
    def generation(number: int) -> list[Document]:
        return [Document(id=f"d{i}", text=f"Generation {number} line {i}.") for i in range(20)]

    build(tmp_path, generation(1))
    done, problems, opened = threading.Event(), [], []

    def read() -> None:
        try:
            while not done.is_set():
                with Index.open(tmp_path, embedder=embedder) as index:
                    found = index.retriever.retrieve("Generation line", top_k=50)
                    texts = [item.passage.text for item in found] + [item.text for item in index.documents()]
                    opened.append(index.manifest.generation)
                if {text.split(" ")[1] for text in texts} != {str(index.manifest.generation)} or len(texts) != 40:
                    problems.append(texts)
        except Exception as error:
            problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2, 9):
        build(tmp_path, generation(number))
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(set(opened)) > 1


def test_one_index_answers_several_threads(build, embedder, tmp_path):
    build(tmp_path, corpus(50))
    results: dict[int, list[str]] = {}
    with Index.open(tmp_path, embedder=embedder) as index:
        expected = [item.passage.id for item in index.retriever.retrieve("Line of 7.", top_k=5)]

        def ask(number: int) -> None:
            for _ in range(10):
                results[number] = [item.passage.id for item in index.retriever.retrieve("Line of 7.", top_k=5)]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == dict.fromkeys(range(6), expected)
