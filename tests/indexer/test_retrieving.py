"""Questions to ranked passages."""

from __future__ import annotations

import numpy as np
import pytest

from corpora.documents import Document, Passage, Section
from corpora.errors import UsageError
from encoder.errors import ModelError
from indexer import Index, StoreError
from indexer.context import embedding_text


@pytest.fixture
def index(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers)
    with Index.open(tmp_path, embedder=embedder) as opened:
        yield opened


def test_passages_come_ranked_with_their_cosine(index, embedder):
    question = "Where does the Danube rise?"
    found = index.retriever.retrieve(question, mode="dense")
    texts = [
        "Danube\nThe Danube rises in the Black Forest.",
        "Danube\nIt ends in the Black Sea.",
        "Волга\nВолга впадает в Каспийское море.",
        "The Nile flows north.",
    ]
    vectors = embedder.encode_query(texts)
    # A language's mean counts four passages of the overall mean, and that one four of nothing.
    overall = vectors.sum(axis=0) / (4 + 4)
    english = (vectors[0] + vectors[1] + 4 * overall) / (2 + 4)
    rest = vectors - np.stack([english, english, *((vectors[2:] + 4 * overall) / (1 + 4))])
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    # Stored as float16, so three digits agree.
    cosines = rest @ embedder.encode_query([question])[0]
    by_text = {text.split("\n")[-1]: cosine for text, cosine in zip(texts, cosines, strict=True)}
    assert [item.passage.text for item in found] == sorted(by_text, key=by_text.__getitem__, reverse=True)
    for rank, item in enumerate(found, 1):
        assert item.rank == rank
        assert item.score == item.dense_score == pytest.approx(by_text[item.passage.text], abs=1e-3)
        assert item.lexical_score is None


def test_a_hybrid_score_is_the_cosine_and_three_quarters_of_the_coverage(index):
    question = "Where does the Danube rise?"
    cosines, coverages = (
        {item.passage.id: item.score for item in index.retriever.retrieve(question, mode=mode)}
        for mode in ("dense", "lexical")
    )
    found = index.retriever.retrieve(question)
    assert len(found) == len(cosines) == 4
    # The title "Danube" stands in the two passages on it, "the" in that on the Nile too.
    assert sorted(coverages) == ["danube@0", "danube@38", "nile@0"]
    for item in found:
        assert item.dense_score == cosines[item.passage.id]
        assert item.lexical_score == coverages.get(item.passage.id, 0)
        assert item.score == pytest.approx(item.dense_score + 0.75 * item.lexical_score)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_a_search_by_words_needs_no_model_and_finds_only_what_shares_one(build, rivers, new_embedder, tmp_path):
    build(tmp_path / "index", rivers, with_embedder=new_embedder(name=str(tmp_path / "no-such-model")))
    with Index.open(tmp_path / "index") as index:
        found = index.retriever.retrieve("КАСПИЙСКОЕ?", mode="lexical")
        assert [(item.passage.document_id, item.dense_score) for item in found] == [("volga", None)]
        assert found[0].score == found[0].lexical_score > 0
        assert index.retriever.retrieve("zebra", mode="lexical") == []
        with pytest.raises(UsageError, match=r"'sparse': choose one of hybrid, dense, lexical"):
            index.retriever.retrieve("Волга", mode="sparse")


def test_words_are_carried_on_when_documents_come_change_and_go_with_their_replacement(build, rivers, tmp_path):
    build(tmp_path, rivers)
    changed = Document(id="nile", text="The Nile floods in August.", source="/rivers.jsonl")
    build(tmp_path, [changed, Document(id="elbe", text="The Elbe passes Dresden.", source="/rivers.jsonl")])
    with Index.open(tmp_path) as index:
        for question, expected in (("Dresden", ["elbe"]), ("August", ["nile"]), ("north", []), ("Forest", ["danube"])):
            found = index.retriever.retrieve(question, mode="lexical")
            assert [item.passage.document_id for item in found] == expected


def test_a_passage_knows_its_document_and_place(index):
    first = index.retriever.retrieve("Danube\nIt ends in the Black Sea.", top_k=1)[0].passage
    assert first == Passage(
        id="danube@38",
        document_id="danube",
        text="It ends in the Black Sea.",
        start=38,
        title="Danube",
        language="en",
        source="/rivers.jsonl",
    )
    assert index.document("danube").text[first.start : first.end] == first.text


def test_a_batch_gives_what_single_questions_give(index):
    questions = ["The Nile", "Волга", "Black Sea"]
    assert index.retriever.retrieve_batch(questions, top_k=2) == [
        index.retriever.retrieve(question, top_k=2) for question in questions
    ]
    assert index.retriever.retrieve_batch([]) == []


def test_top_k_is_clamped_to_the_index_and_must_be_positive(index):
    assert len(index.retriever.retrieve("x", top_k=10**9)) == 4
    for top_k in (0, -1):
        with pytest.raises(UsageError, match=f"{top_k} passages: ask for at least 1"):
            index.retriever.retrieve("x", top_k=top_k)


def test_reading_documents_needs_no_model(build, rivers, new_embedder, tmp_path):
    gone = str(tmp_path / "no-such-model")
    build(tmp_path / "index", rivers, with_embedder=new_embedder(name=gone))
    with Index.open(tmp_path / "index") as index:
        assert index.document("volga") == rivers[1]
        assert index.manifest.embedder.name == gone
        with pytest.raises(ModelError, match="no-such-model"):
            index.retriever.retrieve("Волга")


def test_headings_and_pages_come_back(build, embedder, tmp_path):
    sections = (Section(start=0, headings=("Rivers",), page=1), Section(start=9, headings=("Rivers", "Elbe"), page=2))
    build(tmp_path, [Document(id="g", text="Opening.\nThe Elbe is long.", title="Guide", sections=sections)])
    assert embedder.embedded == ["Guide\nRivers\nOpening.", "Guide\nRivers > Elbe\nThe Elbe is long."]
    with Index.open(tmp_path, embedder=embedder) as index:
        passage = index.retriever.retrieve("The Elbe is long.", top_k=1)[0].passage
    assert (passage.headings, passage.page) == (("Rivers", "Elbe"), 2)


@pytest.mark.parametrize(
    ("title", "headings", "expected"),
    [
        ("", (), "text"),
        ("Title", (), "Title\ntext"),
        ("", ("A", "B"), "A > B\ntext"),
        ("Title", ("A", " "), "Title\nA\ntext"),
        ("Title", ("Title",), "Title\ntext"),
        (" \n", (), "text"),
        ("t" * 999, (), "t" * 300 + "\ntext"),
    ],
)
def test_context_stands_before_the_text(title, headings, expected):
    passage = Passage(id="p", document_id="d", text="text", start=0, title=title, headings=headings)
    assert embedding_text(passage) == expected


def test_vectors_that_are_no_numbers_are_refused(build, rivers, new_embedder, tmp_path):
    class Broken(new_embedder):
        def encode_document(self, texts: list[str]) -> np.ndarray:
            return np.full((len(texts), self.dimension), np.nan, np.float32)

    with pytest.raises(StoreError, match="use another embedder"):
        build(tmp_path, rivers, with_embedder=Broken())
