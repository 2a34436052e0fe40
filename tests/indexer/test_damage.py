"""Damaged files and rows are refused by name; derived files come back without embedding."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from corpora.documents import Document
from indexer import DamagedIndex, Index, StoreError, verify_index

DERIVED = ("vectors.faiss", "passages.npy", "lexical.arrays", "manifest.json")


@pytest.fixture
def index_directory(build, rivers, tmp_path) -> Path:
    directory = tmp_path / "index"
    build(directory, rivers)
    return directory


def flip(path: Path, offset: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("name", DERIVED)
def test_any_flipped_bit_of_a_derived_file_is_refused_by_name(index_directory, name):
    path = index_directory / "generations" / "1" / name
    sound, choose = path.read_bytes(), random.Random(name)
    offsets = {0, len(sound) - 1, *(choose.randrange(len(sound)) for _ in range(40))}
    for offset in sorted(offsets):
        flip(path, offset, choose.randrange(8))
        with pytest.raises(DamagedIndex, match=name):
            Index.open(index_directory)
        path.write_bytes(sound)
    Index.open(index_directory).close()


@pytest.mark.parametrize("name", DERIVED)
@pytest.mark.parametrize("change", ["truncated", "empty", "longer", "missing"])
def test_a_derived_file_of_another_size_is_refused_by_name(index_directory, name, change):
    path = index_directory / "generations" / "1" / name
    data = path.read_bytes()
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[:-1], "empty": b"", "longer": data + b"\0"}[change])
    with pytest.raises(DamagedIndex, match=f"{name}.*spanglot index"):
        Index.open(index_directory)


def test_an_edited_manifest_is_refused(index_directory):
    path = index_directory / "generations" / "1" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["embedder"]["name"] = "other"
    path.write_text(json.dumps(manifest))
    with pytest.raises(DamagedIndex, match=r"manifest\.json"):
        Index.open(index_directory)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1",
        b"{}",
        b'{"generation": "x"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"generation": 1, "manifest_sha256": "0"}',
    ],
)
def test_a_pointer_that_is_not_ours_is_refused(index_directory, content):
    (index_directory / "CURRENT").write_bytes(content)
    with pytest.raises(DamagedIndex):
        Index.open(index_directory)


def test_a_pointer_to_a_generation_that_is_gone_is_refused(index_directory):
    pointer = json.loads((index_directory / "CURRENT").read_text())
    (index_directory / "CURRENT").write_text(json.dumps(pointer | {"generation": 7}))
    with pytest.raises(DamagedIndex, match=r"7/manifest\.json"):
        Index.open(index_directory)


def test_files_swapped_between_generations_are_refused(build, index_directory):
    build(index_directory, [Document(id="elbe", text="The Elbe ends in the North Sea.")])
    first, second = (index_directory / "generations" / number for number in "12")
    shutil.copy(first / "vectors.faiss", second / "vectors.faiss")
    with pytest.raises(DamagedIndex, match=r"2/vectors\.faiss"):
        Index.open(index_directory)


def test_a_store_of_another_index_is_refused(build, rivers, index_directory, tmp_path):
    build(tmp_path / "other", rivers)
    shutil.copy(tmp_path / "other" / "index.sqlite3", index_directory / "index.sqlite3")
    with pytest.raises(DamagedIndex, match="of index"):
        Index.open(index_directory)


def test_a_store_older_than_its_generation_is_refused(build, index_directory, tmp_path):
    shutil.copy(index_directory / "index.sqlite3", tmp_path / "old")
    build(index_directory, [Document(id="elbe", text="The Elbe.")])
    shutil.copy(tmp_path / "old", index_directory / "index.sqlite3")
    with pytest.raises(DamagedIndex, match="covers"):
        Index.open(index_directory)


def test_a_store_of_another_history_is_refused_and_gets_its_own_words_and_vectors(build, index_directory, tmp_path):
    shutil.copy(index_directory / "index.sqlite3", tmp_path / "old")
    build(index_directory, [Document(id="b", text="bravo mountain")])
    shutil.copy(tmp_path / "old", index_directory / "index.sqlite3")
    # The same number of commits, and the same keys for other passages.
    report = build(index_directory, [Document(id="x", text="xray desert")])
    assert (report.added, report.generation) == (1, 3)
    with Index.open(index_directory) as index:
        words = ("xray", "bravo", "Forest")
        found = [[item.passage.document_id for item in index.retriever.retrieve(w, mode="lexical")] for w in words]
        assert found == [["x"], [], ["danube"]]
    shutil.copy(tmp_path / "old", index_directory / "index.sqlite3")
    with pytest.raises(DamagedIndex, match="covers"):
        Index.open(index_directory)


def test_a_commit_of_another_history_is_told_by_more_than_its_number(build, index_directory, tmp_path):
    shutil.copytree(index_directory, tmp_path / "twin")
    for directory, text in ((index_directory, "bravo"), (tmp_path / "twin", "xray")):
        build(directory, [Document(id="b", text=text)])
    shutil.copy(tmp_path / "twin" / "index.sqlite3", index_directory / "index.sqlite3")
    with pytest.raises(DamagedIndex, match="is another one than its generation 2 covers"):
        Index.open(index_directory)


@pytest.mark.parametrize("broken", [*DERIVED, "CURRENT", "generations"])
@pytest.mark.parametrize("change", ["flipped", "missing"])
def test_indexing_again_rebuilds_derived_files_without_embedding(
    build, rivers, embedder, index_directory, broken, change
):
    folder = index_directory / "generations" / "1"
    path = {"CURRENT": index_directory / "CURRENT", "generations": folder}.get(broken, folder / broken)
    if path.is_dir():
        shutil.rmtree(path)
    elif change == "missing":
        path.unlink()
    else:
        flip(path, 3, 2)
    embedder.embedded.clear()
    report = build(index_directory, rivers[:1])
    assert (report.unchanged, report.embedded, report.passages, embedder.embedded) == (1, 0, 4, [])
    with Index.open(index_directory, embedder=embedder) as index:
        assert sorted(document.id for document in index.documents()) == ["danube", "nile", "volga"]
        assert index.retriever.retrieve("The Nile flows north.", top_k=1)[0].passage.document_id == "nile"


def test_a_flipped_text_byte_in_the_store_is_found_when_it_is_read(build, rivers, embedder, index_directory):
    path = index_directory / "index.sqlite3"
    flip(path, path.read_bytes().index(b"The Nile flows north.") + 4, 1)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with Index.open(index_directory, embedder=embedder) as index:
        assert index.document("danube") == rivers[0]
        for read in (
            lambda: index.document("nile"),
            lambda: list(index.documents()),
            lambda: index.retriever.retrieve("The Nile flows north."),
        ):
            with pytest.raises(DamagedIndex, match=r"index\.sqlite3 is damaged: row 3 of table documents"):
                read()
    with pytest.raises(DamagedIndex, match="table documents"):
        build(index_directory, rivers)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("documents", "id = 'nilf'"),
        ("documents", "title = 'Nile'"),
        ("documents", "source = '/other'"),
        ("documents", "language = 'en'"),
        ("documents", "born = 0"),
        ("documents", "metadata = '{\"a\": 1}'"),
        ("documents", "text = CAST(text AS BLOB)"),
        ("documents", "text = CAST(x'ff' AS TEXT)"),
        ("passages", "start = 1"),
        ("passages", "stop = 3"),
        ("passages", "document = 1"),
        ("passages", "page = 1"),
        ("passages", "headings = '[\"x\"]'"),
        ("passages", "vector = zeroblob(128)"),
        ("passages", "died = died - 1"),
        ("passages", "key = 99"),
    ],
)
def test_any_changed_value_of_a_row_is_found(embedder, index_directory, table, change):
    key = {"documents": 3, "passages": 4}[table]
    connection = sqlite3.connect(index_directory / "index.sqlite3")
    with connection:
        assert connection.execute(f"UPDATE {table} SET {change} WHERE key = {key}").rowcount == 1
    connection.close()
    with (
        Index.open(index_directory, embedder=embedder) as index,
        pytest.raises(DamagedIndex, match=rf"index\.sqlite3 is damaged: row \d+ of table {table}"),
    ):
        index.retriever.retrieve("The Nile flows north.")


def test_a_missing_row_is_found(embedder, index_directory):
    connection = sqlite3.connect(index_directory / "index.sqlite3")
    with connection:
        connection.execute("DELETE FROM passages WHERE key = 4")
    connection.close()
    with Index.open(index_directory, embedder=embedder) as index, pytest.raises(DamagedIndex, match=r"row 4.*missing"):
        index.retriever.retrieve("The Nile flows north.")


@pytest.mark.parametrize("table", ["settings", "commits"])
def test_changed_bookkeeping_is_found(index_directory, table):
    connection = sqlite3.connect(index_directory / "index.sqlite3")
    with connection:
        column = {"settings": "value", "commits": "time"}[table]
        connection.execute(f"UPDATE {table} SET {column} = 'x'")
    connection.close()
    with pytest.raises(DamagedIndex, match=f"table {table}"):
        Index.open(index_directory)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100], ids=["empty", "garbage"])
def test_a_store_that_is_no_database_is_refused(index_directory, content):
    (index_directory / "index.sqlite3").write_bytes(content)
    with pytest.raises(StoreError, match=r"index\.sqlite3"):
        Index.open(index_directory)


def test_a_store_whose_schema_is_no_text_is_refused(build, rivers, index_directory):
    path = index_directory / "index.sqlite3"
    names = b"documents_by_id ON "
    path.write_bytes(path.read_bytes().replace(names + b"d", names + b"\xcf"))
    for use in (Index.open, verify_index, lambda directory: build(directory, rivers)):
        try:
            problems = [problem.message for problem in use(index_directory).problems]
        except DamagedIndex as error:
            problems = [str(error)]
        assert "index.sqlite3 is damaged" in problems[0]


def test_a_truncated_store_is_refused(build, rivers, index_directory):
    path = index_directory / "index.sqlite3"
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(DamagedIndex, match=r"index\.sqlite3"):
        build(index_directory, rivers)
