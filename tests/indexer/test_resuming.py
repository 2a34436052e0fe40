"""A build that stops anywhere is taken up without embedding twice, and no reader sees half of it."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from corpora.documents import Document
from indexer import Index, IndexNotFound

REPOSITORY = Path(__file__).parents[2]


class Stopped(Exception):
    pass


def corpus(count: int, word: str = "line") -> list[Document]:
    return [
        Document(id=f"d{i}", text=f"First {word} of {i}.\nSecond {word} of {i}.", source="/c") for i in range(count)
    ]


def stop_after(batches: int):
    calls = []

    def progress(_):
        calls.append(1)
        if len(calls) == batches:
            raise Stopped

    return progress


def test_a_stopped_first_build_is_no_index_and_is_taken_up(build, embedder, tmp_path):
    documents = corpus(400)
    with pytest.raises(Stopped):
        build(tmp_path, documents, progress=stop_after(2))
    assert len(embedder.embedded) == 512
    with pytest.raises(IndexNotFound, match="never finished"):
        Index.open(tmp_path)
    report = build(tmp_path, documents)
    assert (report.added, report.unchanged, report.embedded, report.passages) == (400, 0, 288, 800)
    assert sorted(embedder.embedded) == sorted(line for document in documents for line in document.text.split("\n"))
    with Index.open(tmp_path, embedder=embedder) as index:
        assert sorted(document.id for document in index.documents()) == sorted(document.id for document in documents)


def test_readers_see_nothing_of_a_stopped_update(build, embedder, tmp_path):
    before, after = corpus(300), corpus(300, "row")
    build(tmp_path, before)
    with pytest.raises(Stopped):
        build(tmp_path, after, progress=stop_after(2))
    with Index.open(tmp_path, embedder=embedder) as index:
        assert list(index.documents()) == before
        assert index.manifest.generation == 1
        found = index.retriever.retrieve("First row of 7.", top_k=600)
        assert len(found) == 600
        assert not any("row" in item.passage.text for item in found)
    report = build(tmp_path, after)
    assert (report.added, report.replaced, report.embedded, report.passages) == (0, 300, 88, 600)
    with Index.open(tmp_path, embedder=embedder) as index:
        assert {document.text for document in index.documents()} == {document.text for document in after}


def test_a_stopped_update_can_be_taken_back(build, embedder, tmp_path):
    before = corpus(300)
    build(tmp_path, before)
    with pytest.raises(Stopped):
        build(tmp_path, [*corpus(200, "row"), Document(id="extra", text="Extra.")], progress=stop_after(1))
    report = build(tmp_path, before)
    assert (report.added, report.replaced, report.unchanged, report.embedded) == (0, 0, 300, 0)
    assert report.generation == 1
    with Index.open(tmp_path, embedder=embedder) as index:
        assert list(index.documents()) == before


def test_what_a_stopped_build_left_is_dropped_when_the_next_does_not_offer_it(build, embedder, tmp_path):
    wrong = [dataclasses.replace(document, source="/wrong") for document in corpus(200, "wrong")]
    with pytest.raises(Stopped):
        build(tmp_path, wrong, progress=stop_after(1))
    right = corpus(5)
    assert build(tmp_path, right).added == 5
    with Index.open(tmp_path, embedder=embedder) as index:
        assert list(index.documents()) == right
        assert len(index.retriever.retrieve("wrong", top_k=1000)) == 10


def test_an_error_of_the_corpus_stops_the_build_and_loses_nothing(build, embedder, tmp_path):
    documents = corpus(200)

    def broken():
        yield from documents[:150]
        raise Stopped

    with pytest.raises(Stopped):
        build(tmp_path, broken())
    assert build(tmp_path, documents).embedded == 400 - 256


@pytest.mark.parametrize("moment", ["after the commit", "before the pointer", "after the pointer"])
def test_a_killed_process_leaves_the_old_or_the_new_generation(build, embedder, rivers, tmp_path, moment):
    build(tmp_path, rivers)
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        sys.path[:0] = [{str(REPOSITORY)!r}, {str(Path(__file__).parent)!r}]
        import conftest
        from corpora.documents import Document
        from indexer import files, publishing, writing
        from indexer.building import build_index

        def die(*_, **__):
            os.kill(os.getpid(), signal.SIGKILL)

        moment = {moment!r}
        if moment == "after the commit":
            writing.StoreWriter.seal = die
        elif moment == "before the pointer":
            files.replace_synced = die
        else:
            publishing.remove_others = die
        new = [Document(id="nile", text="The Nile is long.", source="/rivers.jsonl")]
        build_index({str(tmp_path)!r}, new, embedder=conftest.TrigramEmbedder(), splitter=conftest.LineSplitter())
        """
    )
    finished = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, check=False
    )
    assert finished.returncode == -signal.SIGKILL, finished.stderr.decode()
    published = moment == "after the pointer"
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.manifest.generation == (2 if published else 1)
        assert index.document("nile").text == ("The Nile is long." if published else "The Nile flows north.")
        assert len(index.retriever.retrieve("The Nile")) == 4
    embedder.embedded.clear()
    report = build(tmp_path, [Document(id="nile", text="The Nile is long.", source="/rivers.jsonl")])
    assert embedder.embedded == []
    with Index.open(tmp_path, embedder=embedder) as index:
        assert index.document("nile").text == "The Nile is long."
        assert index.document("volga") == rivers[1]
        assert index.manifest.generation == report.generation
    assert len(list((tmp_path / "generations").iterdir())) <= 2
