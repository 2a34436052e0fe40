"""The demo: the sample corpus indexed once, its questions asked and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corpora import Document, SampleQuestion, Splitter, sample_documents, sample_questions
from indexer import build_index
from service.answering import QuestionAnswerer
from service.cli import main
from service.demo import Kind, ask_samples, demo_directory, judge, spotlight, tally


def sample(question: str, answers: tuple[str, ...], document: str | None, language: str = "en") -> SampleQuestion:
    return SampleQuestion(id=question[:3], question=question, language=language, answers=answers, document_id=document)


RIGHT = sample("When was the canal opened?", ("1869",), "en-canal")
WRONG = sample("When was the canal opened?", ("1870",), "en-canal")
ACROSS = sample("Canal opened 1869: πότε was it;", ("1869",), "en-canal", "el")
NOWHERE = sample("Who painted the ceiling?", (), None)


def test_each_kind_is_judged_by_its_own_rule(answerer: QuestionAnswerer) -> None:
    judged = ask_samples(answerer, [RIGHT, WRONG, ACROSS, NOWHERE])
    assert [item.kind for item in judged] == [
        Kind.SAME_LANGUAGE,
        Kind.SAME_LANGUAGE,
        Kind.CROSS_LANGUAGE,
        Kind.UNANSWERABLE,
    ]
    assert [item.right for item in judged] == [True, False, True, True]
    assert [item.document_language for item in judged] == ["en", "en", "en", None]


def test_right_words_below_the_threshold_are_withheld_and_not_right(answerer: QuestionAnswerer) -> None:
    strict = QuestionAnswerer(answerer.index, answerer.reader)
    strict.threshold = 2.0
    (item,) = ask_samples(strict, [RIGHT])
    assert (item.right, item.withheld) == (False, True)


def test_an_answer_to_an_unanswerable_question_is_wrong(answerer: QuestionAnswerer) -> None:
    result = answerer.answer(RIGHT.question)
    assert not judge(NOWHERE, None, result).right


def test_kinds_are_counted_apart_and_together(answerer: QuestionAnswerer) -> None:
    rows = tally(ask_samples(answerer, [RIGHT, WRONG, ACROSS, NOWHERE]))
    assert [(row.kind, row.asked, row.right, row.withheld) for row in rows] == [
        (Kind.SAME_LANGUAGE, 2, 1, 0),
        (Kind.CROSS_LANGUAGE, 1, 1, 0),
        (Kind.UNANSWERABLE, 1, 1, 0),
        (None, 4, 3, 0),
    ]


def test_batches_tell_how_many_they_asked(answerer: QuestionAnswerer) -> None:
    told: list[int] = []
    ask_samples(answerer, [RIGHT] * 11, progress=told.append)
    assert told == [8, 3]


def test_the_spotlight_takes_what_is_there(answerer: QuestionAnswerer) -> None:
    judged = ask_samples(answerer, [RIGHT, ACROSS, NOWHERE])
    assert spotlight(judged) == [judged[1], judged[2]]
    assert spotlight(judged[:1]) == []


def test_the_samples_have_all_that_the_spotlight_shows(answerer: QuestionAnswerer) -> None:
    language_of = {
        json.loads(line)["id"]: json.loads(line)["language"]
        for path in sample_documents().glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    }
    result = answerer.answer(RIGHT.question)
    judged = [
        judge(item, None if item.document_id is None else language_of[item.document_id], result)
        for item in sample_questions()
    ]
    assert len(spotlight(judged)) == 3


def test_the_place_of_the_index_changes_with_the_samples_and_the_embedder(tmp_path: Path, embedder: object) -> None:
    (tmp_path / "a.jsonl").write_text("one")
    first = demo_directory(tmp_path, tmp_path, embedder)  # type: ignore[arg-type]
    assert demo_directory(tmp_path, tmp_path, embedder) == first  # type: ignore[arg-type]

    class Other(type(embedder)):  # type: ignore[misc]
        revision = "2"

    assert demo_directory(tmp_path, tmp_path, Other()) != first  # type: ignore[arg-type]
    (tmp_path / "a.jsonl").write_text("two")
    assert demo_directory(tmp_path, tmp_path, embedder) != first  # type: ignore[arg-type]


def test_an_index_that_is_not_finished_is_finished_and_not_thrown_away(
    run: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    embedder: object,
    splitter: Splitter,
) -> None:
    def interrupted() -> Iterator[Document]:
        yield Document(id="first", text="Ada.")
        raise KeyboardInterrupt

    monkeypatch.setenv("SPANGLOT_HOME", str(tmp_path))
    directory = demo_directory(tmp_path, sample_documents(), embedder)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        build_index(directory, interrupted(), embedder=embedder, splitter=splitter)  # type: ignore[arg-type]
    database = (directory / "index.sqlite3").stat().st_ino
    assert main(["demo", "--json"]) == 0
    assert (directory / "index.sqlite3").stat().st_ino == database


def test_the_demo_runs_and_keeps_its_index(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    embedder: object,
    reader: object,
    splitter: Splitter,
) -> None:
    monkeypatch.setenv("SPANGLOT_HOME", str(tmp_path))
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda name=None, *, device="auto": embedder)
    monkeypatch.setattr("reader.load_reader", lambda path=None, **options: reader)
    monkeypatch.setattr("service.opening.make_splitter", lambda: splitter)
    samples = sample_questions()

    assert main(["demo", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [item["id"] for item in report["questions"]] == [item.id for item in samples]
    assert report["summary"]["all"]["asked"] == len(samples)
    unanswerable = [item for item in samples if not item.answers]
    assert report["summary"]["unanswerable"]["asked"] == len(unanswerable)

    (kept,) = tmp_path.glob("demo-index-*")
    before = sorted(path.stat().st_mtime_ns for path in kept.rglob("*.faiss"))
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert sorted(path.stat().st_mtime_ns for path in kept.rglob("*.faiss")) == before
    assert all(item.question in printed for item in samples)
    assert "In the spotlight" in printed
    assert f"{len(samples)} questions in " in printed

    (kept / "CURRENT").write_text("damaged")
    assert main(["demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"] == report["summary"]
