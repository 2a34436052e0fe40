from __future__ import annotations

import json

import pytest

from corpora import CorpusError
from corpora.squad import language_of_name


def article(title, *contexts):
    return {"title": title, "paragraphs": [{"context": context, "qas": []} for context in contexts]}


@pytest.fixture
def write(tmp_path):
    def write_articles(name, *articles, **more):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"version": "1.1", "data": list(articles), **more}), encoding="utf-8")
        return path

    return write_articles


def test_every_paragraph_is_a_document(read, write):
    path = write("xquad.el.json", article("Super_Bowl_50", "Πρώτη.", "Δεύτερη."), article("Warsaw", "Η Βαρσοβία."))
    reading = read(path)
    assert reading.ids == [
        "xquad.el.json#Super_Bowl_50/0",
        "xquad.el.json#Super_Bowl_50/1",
        "xquad.el.json#Warsaw/0",
    ]
    document = reading.documents[1]
    assert (document.text, document.title, document.language) == ("Δεύτερη.", "Super_Bowl_50", "el")
    assert document.source == str(path)


def test_articles_of_one_title_are_numbered_on(read, write):
    path = write("a.json", article("T", "one", "two"), article("U", "three"), article("T", "four"))
    assert read(path).ids == ["a.json#T/0", "a.json#T/1", "a.json#U/0", "a.json#T/2"]


def test_language_files_of_one_corpus_stay_apart(read, write):
    paths = [write(f"xquad.{language}.json", article("T", "a", "b")) for language in ("de", "en")]
    expected = ["xquad.de.json#T/0", "xquad.de.json#T/1", "xquad.en.json#T/0", "xquad.en.json#T/1"]
    assert read(*paths).ids == expected
    assert read(paths[0].parent).ids == expected


def test_ids_in_a_folder_carry_the_relative_path(read, write):
    path = write("dev/en.json", article("T", "a"))
    assert read(path.parent.parent).ids == ["dev/en.json#T/0"]


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("xquad.el.json", "el"),
        ("squad.en.train.json", "en"),
        ("drcd.zh-hant.train.json", "zh-Hant"),
        ("el.json", "el"),
        ("de.train.json", "de"),
        ("dev-context-ar-question-de.json", "ar"),
        ("test-context-zh-question-en.json", "zh"),
        ("my.data.json", None),
        ("train-v1.1.json", None),
        ("dev.json", None),
        ("squad.json", None),
        ("is.it.json", "it"),
    ],
)
def test_language_of_a_file_name(name, language):
    assert language_of_name(name) == language


def test_a_name_without_language_leaves_it_to_detection(read, write):
    path = write("train-v1.1.json", article("T", "Wer schrieb den Faust? Goethe schrieb ihn.", "什么是氧气？"))
    assert [document.language for document in read(path).documents] == ["de", "zh"]


def test_a_title_may_be_missing(read, write):
    path = write("a.json", {"paragraphs": [{"context": "x"}]})
    assert [(document.id, document.title) for document in read(path).documents] == [("a.json#/0", "")]


def test_bad_articles_and_paragraphs_are_reported_by_place_and_keep_the_numbering(read, write):
    path = write(
        "a.json",
        "no object",
        {"title": 3, "paragraphs": []},
        {"title": "N"},
        {"title": "T", "paragraphs": [{"context": " "}, {"context": 5}, 6, {"context": "\ud800"}, {"context": "ok"}]},
        {"title": "\udfff", "paragraphs": [{"context": "x"}]},
    )
    reading = read(path)
    assert reading.ids == ["a.json#T/4"]
    assert reading.errors == [
        f"{path}: data[0] is not an object",
        f'{path}: data[1] has a "title" that is not text',
        f'{path}: data[2] has no "paragraphs" list',
        f'{path}: data[3].paragraphs[0] has a blank "context"',
        f'{path}: data[3].paragraphs[1] has no "context" string',
        f'{path}: data[3].paragraphs[2] has no "context" string',
        f'{path}: data[3].paragraphs[3] has a "context" with half of a surrogate pair, which is not text',
        f'{path}: data[4] has a "title" that is not text',
    ]


def test_an_empty_data_list_is_reported(read, write):
    path = write("a.json")
    assert read(path).errors == [f'{path}: holds no paragraphs: its "data" list is empty']


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"data": [', "is not valid JSON: Expecting value at line 1, column 11"),
        (
            b'{"text": "a"}\n{"text": "b"}',
            "Extra data at line 2, column 1 (one object a line belongs in a .jsonl file)",
        ),
        (b"[]", 'is not SQuAD-style JSON: it has no "data" list'),
        (b'{"name": "package"}', 'is not SQuAD-style JSON: it has no "data" list'),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"data": "\xff"}', "is not UTF-8 (byte 0xff in line 1): save it as UTF-8"),
        (b"", "is not valid JSON"),
    ],
)
def test_a_file_that_is_no_squad_json_stops_the_run_only_when_given_directly(read, tmp_path, content, reason):
    (tmp_path / "a.json").write_bytes(content)
    (tmp_path / "b.txt").write_text("good")
    with pytest.raises(CorpusError) as raised:
        read(tmp_path / "a.json")
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)
    reading = read(tmp_path)
    assert reading.ids == ["b.txt"]
    assert reading.errors == [str(raised.value)]
    assert reading.report.errors[0].line is None
