"""Rows live from one commit to another, and come back as they went in."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.documents import Document, Passage, Section
from indexer import EmbedderIdentity, EmbedderMismatch
from indexer.rows import content_hash
from indexer.store import PassageStore
from indexer.writing import EmbeddedDocument, Standing, StoreWriter


def embedded(document: Document, vector: list[float]) -> EmbeddedDocument:
    passage = Passage(
        id=f"{document.id}@0", document_id=document.id, text=document.text, start=0, source=document.source
    )
    return EmbeddedDocument(
        document=document,
        content_hash=content_hash(document, "recipe"),
        passages=[passage],
        vectors=np.array([vector], np.float32),
    )


def visible(store: PassageStore, commit: int) -> dict[str, str]:
    return {document.id: document.text for document in store.documents(commit)}


def vectors(store: PassageStore, commit: int) -> list[list[float]]:
    return [vector for block in store.vectors(commit, 2) for vector in block.vectors.tolist()]


@pytest.fixture
def store(tmp_path: Path):
    with PassageStore.open_writer(tmp_path) as opened:
        yield opened


def test_every_commit_sees_the_rows_of_its_time(store):
    writer = StoreWriter(store)
    writer.commit([embedded(Document(id="a", text="one"), [1, 0])])
    writer.commit([embedded(Document(id="b", text="two"), [0, 1])])
    assert writer.seal() == 3
    writer.commit([embedded(Document(id="a", text="three"), [0.5, 0.5])])
    assert [visible(store, commit) for commit in range(5)] == [
        {},
        {"a": "one"},
        {"a": "one", "b": "two"},
        {"a": "one", "b": "two"},
        {"b": "two", "a": "three"},
    ]
    assert vectors(store, 3) == [[1, 0], [0, 1]]
    assert vectors(store, 4) == [[0, 1], [0.5, 0.5]]
    assert (store.counts(3).documents, store.counts(4).passages) == (2, 2)
    assert store.document("a", 3).text == "one"
    assert store.document("a", 4).text == "three"
    assert (store.last_commit(), store.last_commit(sealed=True)) == (4, 3)


def test_a_seal_without_changes_makes_no_commit(store):
    writer = StoreWriter(store)
    writer.commit([embedded(Document(id="a", text="one"), [1, 0])])
    assert [writer.seal(), writer.seal()] == [2, 2]


def test_standing_tells_what_a_document_needs(store):
    first, other = Document(id="a", text="one"), Document(id="a", text="two")
    writer = StoreWriter(store)
    assert writer.standing(first, b"hash") is Standing.NEW
    writer.commit([embedded(first, [1, 0])])
    writer.seal()
    store.query("DROP TABLE seen")
    writer = StoreWriter(store)
    assert writer.standing(other, content_hash(other, "recipe")) is Standing.CHANGED
    assert writer.standing(first, content_hash(first, "another recipe")) is Standing.CHANGED
    assert writer.standing(first, content_hash(first, "recipe")) is Standing.UNCHANGED


def test_keys_are_never_used_twice(store):
    writer = StoreWriter(store)
    writer.commit([embedded(Document(id="a", text="one"), [1, 0])])
    store.query("DROP TABLE seen")
    abandoning = StoreWriter(store)
    abandoning.commit([embedded(Document(id="b", text="two"), [0, 1])])
    abandoning.seal()
    assert list(store.passages([2], abandoning.sealed)) == [2]
    abandoning.commit([embedded(Document(id="c", text="three"), [0, 1])])
    assert [key for block in store.vectors(9, 2) for key in block.keys.tolist()] == [2, 3]


def test_passages_come_back_whole(store):
    document = Document(
        id="guide\nwith a line break",
        text="Intro. Body of two.",
        title="Guide",
        language="en",
        source="/g.md",
        sections=(Section(start=7, headings=("A", "B"), page=3),),
    )
    passage = Passage(
        id="p1", document_id=document.id, text="Body of two.", start=7, title="Guide", headings=("A", "B"),
        language="en", page=3, source="/g.md",
    )  # fmt: skip
    item = EmbeddedDocument(
        document=document, content_hash=b"h", passages=[passage], vectors=np.array([[0.6, 0.8]], np.float32)
    )
    StoreWriter(store).commit([item])
    assert store.passages([1], 1) == {1: passage}
    assert store.document(document.id, 1) == document
    np.testing.assert_array_equal(vectors(store, 1)[0], np.array([0.6, 0.8], np.float16).astype(np.float32))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
any_document = st.builds(
    Document,
    id=st.text(),
    text=st.text(),
    title=st.text(),
    language=st.none() | st.text(string.ascii_lowercase, min_size=2, max_size=3),
    source=st.text(),
    metadata=st.dictionaries(st.text(), json_values, max_size=3),
    sections=st.lists(
        st.builds(
            Section,
            start=st.integers(0, 100),
            headings=st.lists(st.text(), max_size=3).map(tuple),
            page=st.none() | st.integers(0, 10**6),
        ),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(documents=st.lists(any_document, max_size=4, unique_by=lambda document: document.id), data=st.data())
def test_any_document_round_trips(tmp_path_factory, documents, data):
    items = []
    for number, document in enumerate(documents):
        start = data.draw(st.integers(0, len(document.text)))
        end = data.draw(st.integers(start, len(document.text)))
        passage = Passage(
            id=f"{number}", document_id=document.id, text=document.text[start:end], start=start, title=document.title,
            language=document.language, source=document.source,
        )  # fmt: skip
        items.append(
            EmbeddedDocument(
                document=document, content_hash=content_hash(document, ""), passages=[passage],
                vectors=np.array([[1, 0]], np.float32),
            )
        )  # fmt: skip
    directory = tmp_path_factory.mktemp("store")
    with PassageStore.open_writer(directory) as store:
        StoreWriter(store).commit(items)
    with PassageStore.open_reader(directory) as store:
        assert list(store.documents(1)) == documents
        for document in documents:
            assert store.document(document.id, 1) == document
        found = store.passages(range(1, len(items) + 1), 1)
        assert [found[key] for key in sorted(found)] == [item.passages[0] for item in items]


def test_the_hash_tells_every_part_of_a_document_apart():
    base = {"id": "a", "text": "t", "title": "u", "language": "en", "source": "s"}
    variants = [
        {},
        {"text": "u", "title": "t"},
        {"text": "tu", "title": ""},
        {"language": None},
        {"language": ""},
        {"metadata": {"k": 1}},
        {"metadata": {"k": "1"}},
        {"sections": (Section(start=0),)},
        {"sections": (Section(start=0, page=1),)},
    ]
    hashes = {content_hash(Document(**(base | variant)), "r") for variant in variants}
    assert len(hashes) == len(variants)
    assert content_hash(Document(**base), "other recipe") not in hashes
    assert content_hash(Document(**(base | {"id": "b", "source": "z"})), "r") in hashes


def test_an_embedder_is_claimed_once_there_are_documents(store):
    first, second = (EmbedderIdentity(name=name, revision="1", dimension=2) for name in ("first", "second"))
    writer = StoreWriter(store)
    writer.claim(first)
    writer.claim(second)
    store_id = store.setting("store_id")
    writer.commit([embedded(Document(id="a", text="one"), [1, 0])])
    writer.claim(second)
    with pytest.raises(EmbedderMismatch, match=r"second .*first"):
        writer.claim(first)
    assert EmbedderIdentity.from_json(store.setting("embedder")) == second
    assert store.setting("store_id") == store_id
