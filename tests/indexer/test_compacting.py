"""What no reader of the current generation sees is removed for good; older readers get right answers or an error."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from corpora.documents import Document
from indexer import (
    DamagedIndex,
    Index,
    IndexNotFound,
    PassageFilter,
    StoreError,
    compact_index,
    delete_documents,
    verify_index,
)

SECRET = "Secret " * 2000


def all_bytes(directory) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def library(build, rivers, tmp_path):
    """An index whose second generation has lost a document of two passages."""
    build(tmp_path / "library", [*rivers, Document(id="secret", text=f"{SECRET}\nOne line.")])
    delete_documents(tmp_path / "library", ids=["secret"])
    return tmp_path / "library"


def test_what_was_deleted_is_nowhere_any_more(library, embedder, rivers):
    assert SECRET[:100].encode() in all_bytes(library)
    with Index.open(library, embedder=embedder) as index:
        before = index.retriever.retrieve("The Nile flows north.")
    report = compact_index(library)
    assert (report.documents, report.passages) == (1, 2)
    assert report.freed_bytes > len(SECRET)
    assert SECRET[:20].encode() not in all_bytes(library)
    assert [path.name for path in (library / "generations").iterdir()] == ["2"]
    assert verify_index(library).problems == ()
    with Index.open(library, embedder=embedder) as index:
        assert index.manifest.generation == 2
        assert list(index.documents()) == rivers
        assert index.retriever.retrieve("The Nile flows north.") == before


def test_a_second_compaction_removes_nothing(library):
    compact_index(library)
    again = compact_index(library)
    assert (again.documents, again.passages) == (0, 0)


def test_keys_are_not_used_again_after_a_compaction(library, build, embedder):
    delete_documents(library, ids=["nile", "volga"])
    compact_index(library)
    build(library, [Document(id="elbe", text="The Elbe.")])
    with Index.open(library, embedder=embedder) as index:
        assert index.retriever.retrieve("The Elbe.", top_k=1)[0].passage.document_id == "elbe"
    connection = sqlite3.connect(library / "index.sqlite3")
    assert connection.execute("SELECT key FROM passages ORDER BY key").fetchall() == [(1,), (2,), (7,)]
    connection.close()


def test_what_an_unfinished_build_stored_is_kept(library, build, embedder):
    new = [Document(id="nile", text="The Nile is long.", source="/rivers.jsonl")]

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(library, new, progress=stop)
    assert compact_index(library).documents == 1
    with Index.open(library) as index:
        assert index.document("nile").text == "The Nile flows north."
    embedder.embedded.clear()
    assert (build(library, new).replaced, embedder.embedded) == (1, [])


def test_a_reader_of_an_older_generation_gets_right_answers_or_an_error(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers)
    with Index.open(tmp_path, embedder=embedder) as index:
        delete_documents(tmp_path, ids=["nile"])
        compact_index(tmp_path)
        assert index.retriever.retrieve("Danube: The Danube rises in the Black Forest.", top_k=1)[0].rank == 1
        assert index.document("volga") == rivers[1]
        for read in (
            lambda: index.retriever.retrieve("The Nile flows north."),
            lambda: index.document("nile"),
            lambda: index.document("nobody"),
            lambda: index.retriever.retrieve("The Danube.", only=PassageFilter(languages=("en",))),
            lambda: list(index.documents()),
        ):
            with pytest.raises(StoreError, match="was compacted since its generation was opened: open the index again"):
                read()
    with Index.open(tmp_path, embedder=embedder) as index:
        assert [document.id for document in index.documents()] == ["danube", "volga"]


def test_a_reader_of_the_current_generation_notices_nothing(library, embedder, rivers):
    with Index.open(library, embedder=embedder) as index:
        compact_index(library)
        assert list(index.documents()) == rivers
        assert len(index.retriever.retrieve("The Nile flows north.")) == 4


def test_readers_beside_compactions_get_right_answers_or_are_told(build, embedder, tmp_path):
    def documents(number: int) -> list[Document]:
        return [Document(id=f"d{i}", text=f"Generation {number} line {i}.") for i in range(10)]

    build(tmp_path, documents(1))
    done, problems, right = threading.Event(), [], []

    def read() -> None:
        while not done.is_set():
            try:
                with Index.open(tmp_path, embedder=embedder) as index:
                    found = [item.passage.text for item in index.retriever.retrieve("Generation line", top_k=50)]
                    found += [document.text for document in index.documents()]
                if {text.split(" ")[1] for text in found} != {str(index.manifest.generation)} or len(found) != 20:
                    problems.append(found)
                right.append(index.manifest.generation)
            except StoreError as error:
                if "compacted since" not in str(error):
                    problems.append(error)
            except Exception as error:
                problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2, 8):
        build(tmp_path, documents(number))
        compact_index(tmp_path)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert right


def test_a_damaged_row_is_not_removed_as_if_it_were_dead(library):
    connection = sqlite3.connect(library / "index.sqlite3")
    with connection:
        connection.execute("UPDATE documents SET died = 1 WHERE id = 'nile'")
    connection.close()
    with pytest.raises(DamagedIndex, match="row 3 of table documents"):
        compact_index(library)
    connection = sqlite3.connect(library / "index.sqlite3")
    assert connection.execute("SELECT count(*) FROM documents").fetchone() == (4,)
    connection.close()


def test_without_a_current_generation_nothing_is_removed(library, tmp_path):
    (library / "CURRENT").write_text("{}")
    with pytest.raises(DamagedIndex, match=r"CURRENT.*--repair"):
        compact_index(library)
    with pytest.raises(IndexNotFound):
        compact_index(tmp_path / "none")
