"""What a build adds, replaces, keeps, publishes and refuses."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from corpora.documents import Document
from corpora.errors import CorpusError, DuplicateDocument
from corpora.splitting import Splitter
from encoder.errors import ModelError
from indexer import DocumentNotFound, EmbedderMismatch, Index, IndexNotFound, StoreError, build_index, lexical


def changed(document: Document, **fields: object) -> Document:
    return dataclasses.replace(document, **fields)


def test_a_first_build_stores_and_embeds_everything(build, rivers, embedder, tmp_path):
    report = build(tmp_path / "new" / "index", rivers)
    assert (report.added, report.replaced, report.unchanged) == (3, 0, 0)
    assert (report.passages, report.embedded, report.generation) == (4, 4, 1)
    assert embedder.embedded == [
        "Danube\nThe Danube rises in the Black Forest.",
        "Danube\nIt ends in the Black Sea.",
        "Волга\nВолга впадает в Каспийское море.",
        "The Nile flows north.",
    ]
    with Index.open(tmp_path / "new" / "index", embedder=embedder) as index:
        assert list(index.documents()) == rivers
        assert index.document("volga") == rivers[1]


def test_the_manifest_says_how_the_index_was_built(build, rivers, tmp_path):
    build(tmp_path, rivers)
    with Index.open(tmp_path) as index:
        manifest = index.manifest
    assert (manifest.generation, manifest.documents, manifest.passages) == (1, 3, 4)
    assert [(count.language, count.documents) for count in manifest.languages] == [("en", 1), ("ru", 1), ("und", 1)]
    assert dataclasses.asdict(manifest.embedder) == {"name": "trigrams", "revision": "1", "dimension": 64}
    assert dataclasses.asdict(manifest.recipe) == {
        "target_tokens": 200,
        "max_tokens": 400,
        "overlap_sentences": 0,
        "context": "title+headings",
        "vector_index": "flat",
        "metric": "inner product",
        "centering": "passage vectors less the mean of their language's passages",
        "lexical": lexical.recipe(),
    }
    assert [file.name for file in manifest.files] == ["vectors.faiss", "passages.npy", "lexical.arrays"]


def test_an_unchanged_corpus_costs_nothing_and_publishes_nothing(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers)
    pointer = (tmp_path / "CURRENT").read_bytes()
    report = build(tmp_path, rivers)
    assert (report.added, report.replaced, report.unchanged, report.embedded) == (0, 0, 3, 0)
    assert (report.passages, report.generation) == (4, 1)
    assert (tmp_path / "CURRENT").read_bytes() == pointer
    assert len(embedder.embedded) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "The Nile flows north to the sea."},
        {"title": "Nile"},
        {"language": "en"},
        {"metadata": {"length_km": 6650}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_changed_document_alone_is_embedded_again(build, rivers, embedder, tmp_path, fields):
    build(tmp_path, rivers)
    new = changed(rivers[2], **fields)
    report = build(tmp_path, [*rivers[:2], new])
    assert (report.added, report.replaced, report.unchanged, report.embedded) == (0, 1, 2, 1)
    assert (report.passages, report.generation) == (4, 2)
    assert len(embedder.embedded) == 5
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.document("nile") == new
        assert [document.id for document in index.documents()] == ["danube", "volga", "nile"]


def test_documents_that_are_not_offered_stay(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers[:1])
    assert build(tmp_path, rivers[1:]).added == 2
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.manifest.documents == 3
        assert len(index.retriever.retrieve("The Danube rises", top_k=20)) == 4


def test_other_splitter_settings_make_every_offered_document_new_passages(build, rivers, splitter, tmp_path):
    build(tmp_path, rivers)
    report = build(tmp_path, rivers[:2], with_splitter=dataclasses.replace(splitter, target_tokens=100))
    assert (report.replaced, report.unchanged, report.embedded) == (2, 0, 3)


def test_an_open_reader_keeps_its_generation(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers)
    with Index.open(tmp_path, embedder=embedder) as old:
        for number in range(5):
            build(tmp_path, [changed(rivers[2], text=f"Number {number}.\nThe Nile flows north.")])
        assert old.document("nile") == rivers[2]
        assert old.retriever.retrieve("The Nile flows north.", top_k=1)[0].passage.text == "The Nile flows north."
        assert len(list(old.documents())) == 3
    with Index.open(tmp_path, embedder=embedder) as new:
        assert new.manifest.generation == 6
        assert new.document("nile").text.startswith("Number 4.")
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["5", "6"]


def test_identical_texts_under_two_ids_stay_two_documents(build, rivers, embedder, tmp_path):
    build(tmp_path, [rivers[2], changed(rivers[2], id="nile-2")])
    with Index.open(tmp_path, embedder=embedder) as index:
        found = index.retriever.retrieve("The Nile flows north.")
    assert [item.passage.document_id for item in found] == ["nile", "nile-2"]
    assert found[0].score == found[1].score


def test_a_document_without_passages_is_kept(build, rivers, embedder, tmp_path):
    report = build(tmp_path, [Document(id="blank", text="\n\n"), rivers[2]])
    assert (report.added, report.passages) == (2, 1)
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.document("blank").text == "\n\n"


def test_only_blank_documents_make_an_index_that_finds_nothing(build, embedder, tmp_path):
    build(tmp_path, [Document(id="blank", text="")])
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.retriever.retrieve("anything") == []


def test_an_id_of_another_source_is_refused_naming_both(build, rivers, embedder, tmp_path):
    build(tmp_path, rivers)
    with pytest.raises(DuplicateDocument, match=r"'nile'.*/rivers\.jsonl.*/lakes\.jsonl"):
        build(tmp_path, [changed(rivers[2], source="/lakes.jsonl", text="A lake.")])
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.document("nile") == rivers[2]


def test_one_id_twice_in_one_build_is_refused_unless_it_says_the_same(build, rivers, tmp_path):
    with pytest.raises(DuplicateDocument, match=r"'nile'.*/rivers\.jsonl"):
        build(tmp_path / "two", [rivers[2], changed(rivers[2], text="Another Nile.")])
    report = build(tmp_path / "one", [rivers[2], rivers[2]])
    assert (report.added, report.unchanged, report.passages) == (1, 1, 1)


def test_another_embedder_is_refused_naming_both(build, rivers, new_embedder, tmp_path):
    build(tmp_path, rivers)
    others = [new_embedder(name="other"), new_embedder(revision="2"), new_embedder(dimension=32)]
    for other in others:
        with pytest.raises(EmbedderMismatch, match=r"trigrams \(revision 1, 64 dimensions\)") as refusal:
            build(tmp_path, rivers, with_embedder=other)
        assert f"{other.name} (revision {other.revision}, {other.dimension} dimensions)" in str(refusal.value)
        with pytest.raises(EmbedderMismatch):
            Index.open(tmp_path, embedder=other)


def test_a_model_directory_may_be_moved(build, rivers, new_embedder, tmp_path):
    build(tmp_path, rivers, with_embedder=new_embedder(name="/old/model"))
    with Index.open(tmp_path, embedder=new_embedder(name="/new/model")) as index:
        assert index.retriever.retrieve("The Nile flows north.", top_k=1)[0].passage.document_id == "nile"


def test_a_model_that_is_gone_is_named_with_its_index(build, rivers, new_embedder, tmp_path):
    build(tmp_path / "ix", rivers, with_embedder=new_embedder(name="/gone/model"))
    with (
        Index.open(tmp_path / "ix") as index,
        pytest.raises(ModelError, match=r"ix was built .*'/gone/model'.*--emb"),
    ):
        index.retriever.retrieve("The Nile flows north.")


def test_indexing_with_a_moved_model_makes_the_index_name_its_new_place(build, rivers, new_embedder, tmp_path):
    build(tmp_path, rivers, with_embedder=new_embedder(name="/old/model"))
    moved = new_embedder(name="/new/model")
    report = build(tmp_path, rivers, with_embedder=moved)
    assert (report.unchanged, report.embedded, report.generation, moved.embedded) == (3, 0, 2, [])
    with Index.open(tmp_path) as index:
        assert index.manifest.embedder.name == "/new/model"
    assert build(tmp_path, rivers, with_embedder=moved).generation == 2


def test_another_recipe_of_the_derived_files_is_published_without_embedding(
    build, rivers, embedder, tmp_path, monkeypatch
):
    build(tmp_path, rivers)
    embedder.embedded.clear()
    monkeypatch.setattr("indexer.centering.RECIPE", "another one")
    report = build(tmp_path, rivers)
    assert (report.unchanged, report.embedded, report.generation, embedder.embedded) == (3, 0, 2, [])
    with Index.open(tmp_path) as index:
        assert index.manifest.recipe.centering == "another one"


def test_no_documents_make_no_index(build, tmp_path):
    with pytest.raises(StoreError, match="no documents"):
        build(tmp_path / "index", [])
    assert not (tmp_path / "index").exists()


def test_no_documents_leave_an_index_as_it_is(build, rivers, tmp_path):
    build(tmp_path, rivers)
    report = build(tmp_path, [])
    assert (report.added, report.generation, report.passages) == (0, 1, 4)


def test_a_directory_of_someone_else_is_not_touched(build, rivers, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        build(tmp_path, rivers)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_database_of_someone_else_is_not_touched(build, rivers, tmp_path):
    connection = sqlite3.connect(tmp_path / "index.sqlite3")
    connection.execute("CREATE TABLE mine (value TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        build(tmp_path, rivers)
    with pytest.raises(StoreError, match="another program"):
        Index.open(tmp_path)


def test_a_store_of_a_newer_format_is_refused(build, rivers, tmp_path):
    build(tmp_path, rivers)
    connection = sqlite3.connect(tmp_path / "index.sqlite3")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    for use in (lambda: build(tmp_path, rivers), lambda: Index.open(tmp_path)):
        with pytest.raises(StoreError, match=r"format version 9.*newer Spanglot"):
            use()


def test_a_directory_without_an_index_is_named(tmp_path):
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(IndexNotFound, match=f"{directory}.*spanglot index"):
            Index.open(directory)


@pytest.mark.parametrize("unknown", ["rhine", "rhine\udcff"])
def test_an_unknown_document_id_is_named(build, rivers, tmp_path, unknown):
    build(tmp_path, rivers)
    with Index.open(tmp_path) as index, pytest.raises(DocumentNotFound, match="'rhine"):
        index.document(unknown)


@pytest.mark.parametrize(
    "document",
    [
        Document(id="x", text="a\ud800b"),
        Document(id="x\udc80", text="a"),
        Document(id="x", text="a", title="\ud800"),
        Document(id="x", text="a", metadata={"when": object()}),
        Document(id="x", text="a", metadata={"length_km": float("inf")}),
    ],
    ids=["text", "id", "title", "metadata", "number"],
)
def test_what_cannot_be_stored_is_refused_by_id(build, tmp_path, document):
    with pytest.raises(CorpusError, match="document 'x"):
        build(tmp_path, [document])


def test_a_splitter_whose_passages_are_no_slices_is_refused(build, rivers, splitter, tmp_path):
    class Shifted:
        target_tokens, max_tokens, overlap_sentences = 200, 400, 0

        def split(self, document: Document):
            return [dataclasses.replace(p, start=p.start + 1) for p in splitter.split(document)]

    with pytest.raises(ValueError, match="not the slice"):
        build(tmp_path, rivers, with_splitter=Shifted())


def test_progress_counts_up_to_the_end(build, tmp_path):
    seen = []
    documents = [Document(id=str(i), text=f"Line one of {i}.\nLine two of {i}.") for i in range(300)]
    build(tmp_path, documents, progress=seen.append)
    assert [(p.documents, p.passages, p.embedded) for p in seen] == [(128, 256, 256), (256, 512, 512), (300, 600, 600)]
    assert seen[0].elapsed_seconds <= seen[-1].elapsed_seconds


def test_documents_are_read_as_they_are_needed(build, tmp_path):
    read = []

    def stream():
        for i in range(600):
            read.append(i)
            yield Document(id=str(i), text="One line.")

    behind = []
    build(tmp_path, stream(), progress=lambda progress: behind.append(len(read) - progress.embedded))
    assert max(behind) <= 1


def test_the_real_splitter_fits(embedder, tmp_path: Path):
    def words(text: str) -> list[tuple[int, int]]:
        ends = [i for i, char in enumerate(text) if char == " "]
        return list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))

    text = "The Danube is long. It rises in Germany. It ends in Romania. Ten countries lie on it."
    splitter = Splitter(words, target_tokens=8, max_tokens=12)
    report = build_index(tmp_path, [Document(id="d", text=text, language="en")], embedder=embedder, splitter=splitter)
    assert report.passages > 1
    with Index.open(tmp_path, embedder=embedder) as index:
        for found in index.retriever.retrieve("Danube"):
            assert text[found.passage.start : found.passage.end] == found.passage.text
        assert index.manifest.recipe.target_tokens == 8
