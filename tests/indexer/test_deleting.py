"""Documents leave an index by id, by source and by language, without an embedder."""

from __future__ import annotations

import dataclasses

import pytest

from corpora.documents import Document
from corpora.errors import UsageError
from indexer import DocumentNotFound, Index, IndexNotFound, StoreError, delete_documents, publishing, verify_index

LIBRARY = [
    Document(id="a", text="Ada.\nAnna.", language="en", source="/texts/one.jsonl"),
    Document(id="b", text="Bob.", language="de", source="/texts/one.jsonl"),
    Document(id="c", text="Cleo.", language="en", source="/texts/more/two.txt"),
    Document(id="d", text="Dora.", source="/texts2/three.txt"),
    Document(id="e", text="Emil.", language="de", source="-"),
]


@pytest.fixture
def library(build, tmp_path):
    build(tmp_path / "library", LIBRARY)
    return tmp_path / "library"


def held(directory) -> str:
    with Index.open(directory) as index:
        return "".join(document.id for document in index.documents())


@pytest.mark.parametrize(
    ("named", "left", "passages"),
    [
        ({"ids": ["a"]}, "bcde", 4),
        ({"ids": ["e", "b", "e"]}, "acd", 4),
        ({"sources": ["/texts/one.jsonl"]}, "cde", 3),
        ({"sources": ["/texts"]}, "de", 2),
        ({"sources": ["/texts/more/..", "-"]}, "d", 1),
        ({"languages": ["de"]}, "acd", 4),
        ({"languages": ["und", "en"]}, "be", 2),
        ({"sources": ["/texts"], "languages": ["en"]}, "bde", 3),
        ({"ids": ["a", "c"], "languages": ["en"]}, "bde", 3),
        ({"sources": ["/"], "languages": ["en", "de", "und"]}, "e", 1),
    ],
    ids=str,
)
def test_documents_that_fit_all_that_is_named_are_deleted(library, embedder, named, left, passages):
    embedder.embedded.clear()
    report = delete_documents(library, **named)
    assert (report.deleted, report.documents, report.passages) == (5 - len(left), len(left), passages)
    assert (report.generation, held(library), embedder.embedded) == (2, left, [])
    with Index.open(library, embedder=embedder) as index:
        found = index.retriever.retrieve("Ada. Anna. Bob. Cleo. Dora. Emil.", top_k=10)
        assert {item.passage.document_id for item in found} == set(left)
    assert verify_index(library).problems == ()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"ids": ["a", "z"]}, "holds no document of id 'z';"),
        ({"ids": ["x\udce9"]}, "'x.udce9'"),
        ({"ids": list("pqrstuv")}, "'p', 'q', 'r', 's', 't' and others;"),
        ({"sources": ["/texts", "/text"]}, "source '/text';"),
        ({"languages": ["fr"]}, "language 'fr';"),
        ({"ids": ["a"], "languages": ["de"]}, "id 'a' that fits the rest of what was named;"),
    ],
    ids=str,
)
def test_a_value_that_no_document_fits_is_named_and_nothing_is_deleted(library, named, told):
    pointer = (library / "CURRENT").read_bytes()
    with pytest.raises(DocumentNotFound, match=f"nothing was deleted: the index 'library' .*{told}"):
        delete_documents(library, **named)
    assert (held(library), (library / "CURRENT").read_bytes()) == ("abcde", pointer)


def test_nothing_named_is_a_mistake(library):
    with pytest.raises(UsageError, match="nothing to delete is named"):
        delete_documents(library, ids=[])


def test_a_deleted_document_is_gone_for_a_second_deletion_and_can_come_back(library, build, embedder):
    delete_documents(library, ids=["b"])
    with pytest.raises(DocumentNotFound):
        delete_documents(library, ids=["b"])
    embedder.embedded.clear()
    report = build(library, LIBRARY)
    assert (report.added, report.unchanged, embedder.embedded) == (1, 4, ["Bob."])
    assert held(library) == "acdeb"


def test_all_documents_may_go_and_others_come(library, build, embedder):
    report = delete_documents(library, ids=list("abcde"))
    assert (report.deleted, report.documents, report.passages) == (5, 0, 0)
    with Index.open(library, embedder=embedder) as index:
        assert list(index.documents()) == []
        assert index.retriever.retrieve("Ada.") == []
    assert verify_index(library).problems == ()
    assert build(library, LIBRARY[:1]).passages == 2


def test_open_readers_keep_what_was_deleted(library, embedder):
    with Index.open(library, embedder=embedder) as index:
        delete_documents(library, ids=["a"])
        assert index.document("a") == LIBRARY[0]
        assert len(index.retriever.retrieve("Ada.", top_k=10)) == 6


def test_an_index_that_is_not_there_is_not_made(tmp_path, build):
    with pytest.raises(IndexNotFound):
        delete_documents(tmp_path, ids=["a"])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_at_work_keeps_deletions_out(library, build):
    refused = []

    def meanwhile(_):
        with pytest.raises(StoreError, match="is being written by process") as refusal:
            delete_documents(library, ids=["a"])
        refused.append(refusal)

    build(library, LIBRARY, progress=meanwhile)
    assert refused
    assert held(library) == "abcde"


def test_a_deletion_drops_what_an_unfinished_build_left(library, build):
    new = [dataclasses.replace(LIBRARY[0], text="Ada again."), Document(id="f", text="Fay.")]

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(library, new, progress=stop)
    with pytest.raises(DocumentNotFound):
        delete_documents(library, ids=["f"])
    assert delete_documents(library, ids=["b"]).documents == 4
    with Index.open(library) as index:
        assert index.document("a") == LIBRARY[0]


def test_a_deletion_that_was_not_published_is_finished_by_the_same_call(library, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(publishing, "publish", fail)
        with pytest.raises(KeyboardInterrupt):
            delete_documents(library, languages=["de"])
    assert held(library) == "abcde"
    (problem,) = verify_index(library).problems
    assert "commit 3 was never published" in problem.message
    report = delete_documents(library, languages=["de"])
    assert (report.deleted, report.documents, held(library)) == (2, 3, "acd")


def test_documents_of_accepted_sources_that_a_build_does_not_offer_are_removed(library, build):
    offered = [dataclasses.replace(LIBRARY[0], text="Ada alone.")]
    report = build(library, offered, remove=lambda source: source.startswith("/texts/"))
    assert (report.added, report.replaced, report.unchanged, report.removed, report.passages) == (0, 1, 0, 2, 3)
    assert held(library) == "dea"
    again = build(library, offered, remove=lambda source: source.startswith("/texts/"))
    assert (again.removed, again.unchanged, again.generation) == (0, 1, report.generation)
    assert build(library, [], remove=lambda source: source == "-").removed == 1
