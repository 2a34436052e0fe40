"""All of an index is read: what is wrong is named, and what is derived comes back from the truth alone."""

from __future__ import annotations

import shutil
import sqlite3

import numpy as np
import pytest

from corpora.documents import Document
from indexer import DamagedIndex, Index, IndexNotFound, StoreError, delete_documents, schema, verify_index
from indexer.vectors import FlatVectorIndex


@pytest.fixture
def library(build, rivers, tmp_path):
    build(tmp_path / "library", [*rivers, Document(id="dry", text="")])
    return tmp_path / "library"


def change(directory, statement: str, table: str = "", key: int = 0) -> None:
    """Run a statement on the store; where a table is named, give the row a checksum that holds again."""
    connection = sqlite3.connect(directory / "index.sqlite3")
    with connection:
        connection.execute(statement)
        if table:
            columns = ", ".join(schema.TABLES[table])
            row = connection.execute(f"SELECT {columns} FROM {table} WHERE key = ?", (key,)).fetchone()
            connection.execute(f"UPDATE {table} SET checksum = ? WHERE key = ?", (schema.row_checksum(table, row), key))
    connection.close()


def flip(path, place: int = 40) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)


def test_a_sound_index_has_no_problems_and_is_not_written_to(library, build):
    build(library, [Document(id="nile", text="The Nile is long.", source="/rivers.jsonl")])
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file() and "-shm" not in path.name}
    seen = []
    for repair in (False, True):
        report = verify_index(library, repair=repair, progress=lambda read, total: seen.append((read, total)))
        assert (report.documents, report.passages, report.problems) == (4, 4, ())
        assert (report.sound, report.repaired) == (True, False)
    # Three settings, four commits, five documents and five passages, the replaced ones among them.
    assert seen[0] == seen[-1] == (17, 17)
    assert [path for path, data in before.items() if path.name != "writer.lock" and path.read_bytes() != data] == []


@pytest.mark.parametrize("name", ["vectors.faiss", "passages.npy", "lexical.arrays", "manifest.json", "CURRENT"])
@pytest.mark.parametrize("how", ["flipped", "missing"])
def test_damaged_derived_files_are_named_and_repaired(library, embedder, name, how):
    path = library / name if name == "CURRENT" else library / "generations" / "1" / name
    if how == "missing":
        path.unlink()
    else:
        flip(path)
    embedder.embedded.clear()
    report = verify_index(library)
    (problem,) = report.problems
    assert (problem.repairable, report.sound) == (True, False)
    assert str(path) in problem.message or name == "CURRENT"
    assert "--repair" in problem.message
    mended = verify_index(library, repair=True)
    assert (mended.problems, mended.repaired, mended.sound, mended.documents) == ((problem,), True, True, 4)
    assert verify_index(library).problems == ()
    with Index.open(library, embedder=embedder) as index:
        assert (index.manifest.generation, index.manifest.recipe.target_tokens) == (2, 200)
        assert index.retriever.retrieve("The Nile flows north.", top_k=1)[0].passage.document_id == "nile"
    assert embedder.embedded == []


def test_all_damaged_files_are_named_at_once(library):
    for name in ("vectors.faiss", "passages.npy"):
        flip(library / "generations" / "1" / name)
    assert ["vectors.faiss" in problem.message for problem in verify_index(library).problems] == [True, False]


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("settings", "UPDATE settings SET value = '{}' WHERE name = 'embedder'"),
        ("settings", "DELETE FROM settings WHERE name = 'store_id'"),
        ("commits", "UPDATE commits SET time = 'x' WHERE number = 1"),
        ("documents", "UPDATE documents SET text = 'The Nile flows south.' WHERE key = 3"),
        ("passages", "UPDATE passages SET vector = zeroblob(128) WHERE key = 2"),
        ("passages", "UPDATE passages SET stop = stop + 1 WHERE key = 2"),
        ("passages", "DELETE FROM passages WHERE key = 1"),
        ("passages", "DELETE FROM documents WHERE key = 3"),
    ],
)
def test_damaged_rows_are_named_and_never_repaired(library, table, statement):
    change(library, statement)
    flip(library / "generations" / "1" / "passages.npy")
    pointer = (library / "CURRENT").read_bytes()
    for repair in (False, True):
        report = verify_index(library, repair=repair)
        rows, files = report.problems
        assert f"of table {table}" in rows.message
        assert "restore" in rows.message
        assert (rows.repairable, files.repairable, report.sound, report.repaired) == (False, True, False, False)
    assert (library / "CURRENT").read_bytes() == pointer


@pytest.mark.parametrize(
    ("change_to", "told"),
    [
        ("stop = 66", "row 2 of table passages is the slice 38-66 of 63 characters"),
        ("start = -1", "row 2 of table passages is the slice -1-63 of 63 characters"),
        ("born = 0", "row 2 of table passages does not live as long as its document"),
        ("ordinal = 2", "row 2 of table passages is passage 2 of its document, and the one before it is missing"),
    ],
)
def test_rows_that_do_not_fit_together_are_named_though_their_checksums_hold(library, change_to, told):
    change(library, f"UPDATE passages SET {change_to} WHERE key = 2", "passages", 2)
    (problem,) = verify_index(library).problems
    assert (told in problem.message, problem.repairable) == (True, False)


@pytest.mark.parametrize("lost", ["DELETE FROM passages WHERE key = 4", "DELETE FROM documents WHERE id = 'dry'"])
def test_rows_that_are_gone_without_a_trace_are_missed_by_the_manifest(library, lost):
    change(library, lost)
    (problem,) = verify_index(library, repair=True).problems
    assert "generation 1 was made of 4 documents with 4 passages, and " in problem.message
    assert not problem.repairable


def test_an_index_of_sqlite_that_misses_a_row_is_found(library):
    connection = sqlite3.connect(library / "index.sqlite3")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'born, died, language', 'born, died, title')")
    connection.commit()
    connection.close()
    assert "documents_by_life" in verify_index(library).problems[0].message


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100], ids=["empty", "garbage"])
def test_a_store_that_is_no_database_is_left_as_it_is(library, content):
    (library / "index.sqlite3").write_bytes(content)
    report = verify_index(library, repair=True)
    assert (report.sound, report.repaired) == (False, False)
    assert "index.sqlite3 is damaged" in report.problems[0].message
    assert (library / "index.sqlite3").read_bytes() == content


def test_vectors_that_are_not_those_of_the_store_are_found_though_their_hash_holds(library, monkeypatch):
    honest = FlatVectorIndex.to_bytes

    def turned(self):
        vectors = self.of(self.keys)
        self._index.reset()
        self._index.add(np.ascontiguousarray(vectors * np.array([[1], [1], [-1], [1]], np.float32)))
        return honest(self)

    with monkeypatch.context() as broken:
        broken.setattr(FlatVectorIndex, "to_bytes", turned)
        delete_documents(library, ids=["dry"])
    (problem,) = verify_index(library).problems
    assert "generation 2" in problem.message
    assert "holds 1 vectors that do not come from the store's" in problem.message
    assert verify_index(library, repair=True).repaired


def test_a_generation_of_another_recipe_is_derived_again(library, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("indexer.centering.RECIPE", "none")
        delete_documents(library, ids=["dry"])
    (problem,) = verify_index(library).problems
    assert "derived in another way" in problem.message
    assert verify_index(library, repair=True).repaired
    assert verify_index(library).problems == ()


def test_an_index_that_does_not_say_how_it_was_split_takes_it_from_the_manifest(library):
    change(library, "DELETE FROM settings WHERE name = 'splitting'")
    flip(library / "generations" / "1" / "lexical.arrays")
    assert verify_index(library, repair=True).repaired
    with Index.open(library) as index:
        assert index.manifest.recipe.max_tokens == 400
    (library / "CURRENT").unlink()
    for change_it in (lambda: verify_index(library, repair=True), lambda: delete_documents(library, ids=["nile"])):
        with pytest.raises(DamagedIndex, match="does not say how its documents were split: run `spanglot index`"):
            change_it()
    assert len(verify_index(library).problems) == 1


def test_a_store_and_a_generation_of_two_indexes_are_not_repaired(library, build, rivers, tmp_path):
    build(tmp_path / "other", rivers)
    shutil.copy(tmp_path / "other" / "index.sqlite3", library / "index.sqlite3")
    (problem,) = verify_index(library, repair=True).problems
    assert "restore both from one copy" in problem.message
    assert not problem.repairable


def test_a_build_that_never_ended_cannot_be_repaired(build, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, [Document(id="a", text="Ada.")], progress=stop)
    (problem,) = verify_index(tmp_path, repair=True).problems
    assert "was never finished" in problem.message


@pytest.mark.parametrize("repair", [False, True])
def test_no_index_is_an_error_and_nothing_is_made(tmp_path, repair):
    with pytest.raises(IndexNotFound):
        verify_index(tmp_path, repair=repair)
    assert list(tmp_path.iterdir()) == []


def test_a_repair_is_a_writer_and_a_check_is_not(library, build, rivers):
    checked = []

    def meanwhile(_):
        checked.append(verify_index(library).sound)
        with pytest.raises(StoreError, match="is being written by process"):
            verify_index(library, repair=True)

    build(library, rivers, progress=meanwhile)
    assert checked == [True]
