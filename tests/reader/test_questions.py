"""Reading questions with their answers from files of two formats."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import CorpusError, RowError
from reader.questions import GoldAnswer, GoldQuestion, read_questions

CONTEXT = "Άργος is a town 🏺 in Greece."


def row(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "q1",
        "lang": "en",
        "title": "Argos",
        "context": CONTEXT,
        "question": "Where is Argos?",
        "answers": [{"text": "Greece", "answer_start": 21}],
        "source": "hand",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


def squad(*paragraphs: dict[str, Any], title: str = "Argos") -> dict[str, Any]:
    return {"version": "1.1", "data": [{"title": title, "paragraphs": list(paragraphs)}]}


def paragraph(*answers: tuple[str, int], context: str = CONTEXT, **changes: Any) -> dict[str, Any]:
    written = [{"text": text, "answer_start": start} for text, start in answers]
    return {"context": context, "qas": [{"id": "q1", "question": "Where?", "answers": written, **changes}]}


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_json_line_becomes_a_question(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "questions.jsonl", row())
    assert list(read_questions(path)) == [
        GoldQuestion(
            id="q1",
            question="Where is Argos?",
            context=CONTEXT,
            title="Argos",
            language="en",
            answers=(GoldAnswer(text="Greece", start=21),),
        )
    ]


def test_gzip_blank_lines_a_mark_and_windows_line_ends_make_no_difference(tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "plain.jsonl", row(), row(id="q2", answers=[]))
    packed = tmp_path / "packed.jsonl.gz"
    first, second = plain.read_bytes().splitlines()
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + first + b"\r\n\r\n  \n" + second))
    assert list(read_questions(packed)) == list(read_questions(plain))
    assert [found.answers for found in read_questions(packed)][1] == ()


def test_squad_json_is_read_with_the_language_of_its_name(tmp_path: Path) -> None:
    content = squad(paragraph(("Greece", 21), ("in Greece", 18)), paragraph(("a town", 9)))
    path = write_json(tmp_path / "xquad.el.json", content)
    found = list(read_questions(path))
    assert [(each.id, each.title, each.language, each.context) for each in found] == [
        ("q1", "Argos", "el", CONTEXT),
        ("q1", "Argos", "el", CONTEXT),
    ]
    assert [each.question_language for each in found] == [None, None]
    assert found[0].answers == (GoldAnswer(text="Greece", start=21), GoldAnswer(text="in Greece", start=18))
    assert found[1].answers == (GoldAnswer(text="a town", start=9),)


def test_mlqa_names_give_the_languages_of_context_and_question(tmp_path: Path) -> None:
    path = write_json(tmp_path / "test-context-hi-question-vi.json", squad(paragraph(("Greece", 21))))
    assert [(found.language, found.question_language) for found in read_questions(path)] == [("hi", "vi")]


@pytest.mark.parametrize("name", ["questions.json", "questions.jsonl"])
def test_without_a_language_the_first_context_is_asked(tmp_path: Path, name: str) -> None:
    context = "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και η μεγαλύτερη πόλη της χώρας."
    if name.endswith("l"):
        path = write_lines(tmp_path / name, row(lang=..., context=context, answers=[]))
    else:
        path = write_json(tmp_path / name, squad(paragraph(("Η Αθήνα", 0), context=context)))
    assert [found.language for found in read_questions(path)] == ["el"]


def test_a_row_names_its_own_language_before_the_file_does(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "set.tr.jsonl", row(lang="en"), row(lang=...), row(lang=None), row(lang="zh-hant"))
    assert [found.language for found in read_questions(path)] == ["en", "tr", "tr", "zh-Hant"]


def test_an_impossible_question_has_no_answers(tmp_path: Path) -> None:
    content = squad(paragraph(is_impossible=True, plausible_answers=[{"text": "Greece", "answer_start": 21}]))
    assert [found.answers for found in read_questions(write_json(tmp_path / "v2.en.json", content))] == [()]


@pytest.mark.parametrize(
    ("text", "start"), [(" Greece", 20), ("Greece\n", 21), (" Greece ", 21), ("Greece", 20), ("\nGreece", 21)]
)
def test_white_space_round_an_answer_is_set_right(tmp_path: Path, text: str, start: int) -> None:
    path = write_json(tmp_path / "x.en.json", squad(paragraph((text, start))))
    (found,) = read_questions(path)
    assert found.answers == (GoldAnswer(text="Greece", start=21),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answers": [{"text": "Greece", "answer_start": 19}]}, "answers[0]: the answer 'Greece' does not stand"),
        ({"answers": [{"text": "Greece", "answer_start": 22}]}, "there stands 'reece.'"),
        ({"answers": [{"text": "Greece", "answer_start": 400}]}, "there stands ''"),
        ({"answers": [{"text": ".", "answer_start": -1}]}, '"answer_start" must be a whole number from 0, found -1'),
        ({"answers": [{"text": "Greece", "answer_start": "21"}]}, "found '21'"),
        ({"answers": [{"text": "A", "answer_start": False}]}, "found False"),
        ({"answers": [{"text": " ", "answer_start": 8}]}, '"text" must be a string that is not empty'),
        ({"answers": ["Greece"]}, "answers[0]: expected a JSON object, found 'Greece'"),
        ({"answers": ...}, '"answers" must be a list, found nothing'),
        ({"question": 7}, '"question" must be a string, found 7'),
        ({"question": ...}, '"question" must be a string that is not empty, found nothing'),
        ({"context": " \n"}, '"context" must be a string that is not empty'),
        ({"title": ["Argos"]}, '"title" must be a string'),
        ({"lang": 3}, '"lang" must be a string'),
        ({"lang": "Greek!"}, '"lang" must be a BCP 47 code'),
        ({"question": "\ud800?"}, '"question" holds a lone surrogate'),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    path = write_lines(tmp_path / "bad.jsonl", row(), row(**changes))
    found = read_questions(path)
    assert next(found).id == "q1"
    with pytest.raises(RowError) as caught:
        next(found)
    assert caught.value.line == 2
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{path}, line 2: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "q2", "cont', "not valid JSON"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b"[1]", "expected a JSON object, found [1]"),
        (b'{"id": ' + b"9" * 5000 + b"}", "too long"),
        (b"[" * 200_000, "too deep"),
    ],
)
def test_a_broken_line_is_an_error_with_its_line(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "bad.en.jsonl"
    path.write_bytes(json.dumps(row()).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(RowError, match=reason.replace("[", r"\[")) as caught:
        list(read_questions(path))
    assert caught.value.line == 3


def test_squad_errors_name_the_place(tmp_path: Path) -> None:
    content = squad(paragraph(("Greece", 21)), paragraph(("town", 0)))
    path = write_json(tmp_path / "x.en.json", content)
    with pytest.raises(RowError, match=r"x\.en\.json: data\[0\]\.paragraphs\[1\]\.qas\[0\]\.answers\[0\]: the answer"):
        list(read_questions(path))


def test_squad_errors_of_syntax_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.en.json"
    path.write_text('{"version": "1.1",\n "data": [\n', encoding="utf-8")
    with pytest.raises(RowError, match="line 3: not valid JSON"):
        list(read_questions(path))


@pytest.mark.parametrize("content", [[], {"rows": []}, {"data": {}}, {"data": [{"title": "x"}]}])
def test_json_of_another_shape_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(RowError):
        list(read_questions(write_json(tmp_path / "x.en.json", content)))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(json.dumps(row()).encode() * 50)[:-20])
    (tmp_path / "plain.jsonl.gz").write_bytes(b"{}")
    (tmp_path / "table.csv").write_bytes(b"a,b")
    for name in ("missing.json", "folder.json", "pipe.json", "cut.jsonl.gz", "plain.jsonl.gz", "table.csv"):
        with pytest.raises(CorpusError) as caught:
            list(read_questions(tmp_path / name))
        assert name in str(caught.value), name


@given(before=st.text(), answer=st.text(min_size=1), after=st.text())
def test_offsets_hold_for_every_text(before: str, answer: str, after: str) -> None:
    import tempfile

    context = before + answer + after
    if not answer.strip():
        return
    with tempfile.TemporaryDirectory() as folder:
        path = write_lines(
            Path(folder) / "x.en.jsonl", row(context=context, answers=[{"text": answer, "answer_start": len(before)}])
        )
        (found,) = read_questions(path)
    (gold,) = found.answers
    assert found.context == context
    assert gold.text == answer.strip()
    assert found.context[gold.start : gold.end] == gold.text
