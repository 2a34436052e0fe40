"""Reading questions with their answers, and holding some out by article."""

from __future__ import annotations

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import CorpusError, RowError
from reader.questions import GoldAnswer, GoldQuestion, read_questions, split_by_article

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


def question(number: int, *, title: str = "", context: str = "") -> GoldQuestion:
    return GoldQuestion(
        id=str(number), question=f"Question {number}?", context=context, title=title, language="en", answers=()
    )


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
    assert found[0].answers == (GoldAnswer(text="Greece", start=21), GoldAnswer(text="in Greece", start=18))
    assert found[1].answers == (GoldAnswer(text="a town", start=9),)


def test_the_context_gives_the_language_in_mlqa_names(tmp_path: Path) -> None:
    path = write_json(tmp_path / "test-context-hi-question-vi.json", squad(paragraph(("Greece", 21))))
    assert [found.language for found in read_questions(path)] == ["hi"]


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


def many(articles: int, paragraphs: int, questions: int) -> list[GoldQuestion]:
    numbers = iter(range(articles * paragraphs * questions))
    return [
        question(next(numbers), title=f"Title {article}", context=f"Context {article}/{place}")
        for article in range(articles)
        for place in range(paragraphs)
        for _ in range(questions)
    ]


def test_dev_is_filled_from_whole_articles() -> None:
    pool = many(articles=20, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
    assert len(dev) == 20
    assert len({held.title for held in dev}) == 2
    assert sorted(train + dev, key=lambda each: int(each.id)) == pool


def test_the_smaller_of_fraction_and_maximum_counts() -> None:
    pool = many(articles=20, paragraphs=5, questions=2)
    assert len(split_by_article(pool, dev_fraction=1.0, max_dev=30)[1]) == 30
    assert len(split_by_article(pool, dev_fraction=0.07, max_dev=30)[1]) == 14
    assert split_by_article(pool, dev_fraction=0.0, max_dev=30) == (pool, [])
    assert split_by_article([], dev_fraction=0.1, max_dev=30) == ([], [])


def test_the_rest_of_the_last_article_goes_to_neither_part() -> None:
    pool = many(articles=10, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.13, max_dev=500)
    assert len(dev) == 13
    assert len({held.title for held in dev}) == 2
    assert len(train) == 80


def test_a_limit_by_article_spreads_dev() -> None:
    pool = many(articles=10, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500, max_per_article=2)
    assert len(dev) == 10
    assert len({held.title for held in dev}) == 5
    assert len(train) == 50


def test_the_split_does_not_depend_on_the_order_but_on_the_seed() -> None:
    pool = many(articles=30, paragraphs=3, questions=3)
    shuffled = list(pool)
    random.Random(5).shuffle(shuffled)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
    again = split_by_article(shuffled, dev_fraction=0.1, max_dev=500)
    assert {held.id for held in again[1]} == {held.id for held in dev}
    assert [kept.id for kept in again[0]] == [each.id for each in shuffled if each in train]
    assert {held.id for held in split_by_article(pool, dev_fraction=0.1, max_dev=500, seed=1)[1]} != {
        held.id for held in dev
    }


def test_another_file_read_too_keeps_the_articles_in_order() -> None:
    pool = many(articles=30, paragraphs=1, questions=3)
    dev = split_by_article(pool, dev_fraction=1.0, max_dev=30)[1]
    more = [question(1000 + place, title=f"Other {place}", context=f"More {place}") for place in range(30)]
    with_more = split_by_article(more + pool, dev_fraction=1.0, max_dev=30)[1]
    assert {held.id for held in with_more if not held.title.startswith("Other")} <= {held.id for held in dev}


def test_without_titles_and_under_one_label_contexts_are_kept_whole() -> None:
    for title in ("", "my data set"):
        pool = [question(place, title=title, context=f"Context {place // 4}") for place in range(80)]
        train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
        assert len(dev) == 8
        assert len({held.context for held in dev}) == 2
        assert len(train) == 72


def test_titles_written_differently_are_one_article() -> None:
    names = ("New_York", "new york", "New  York", "ＮＥＷ York")
    pool = [question(place, title=names[place % 4], context=f"Context {place}") for place in range(16)]
    pool += [question(100 + place, title=f"Else {place}", context=f"Elsewhere {place}") for place in range(84)]
    for seed in range(20):
        train, dev = split_by_article(pool, dev_fraction=0.3, max_dev=500, seed=seed)
        assert not ({kept.title for kept in train} & set(names) and {held.title for held in dev} & set(names))


@given(
    places=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12)), max_size=60),
    dev_fraction=st.floats(0, 1),
    max_per_article=st.none() | st.integers(1, 5),
)
def test_no_title_and_no_context_stands_in_both_parts(
    places: list[tuple[int, int]], dev_fraction: float, max_per_article: int | None
) -> None:
    # Title 0 is none at all, and a second article makes sure that no title is a mere label.
    pool = [question(900, title="first", context="a"), question(901, title="second", context="b")]
    pool += [
        question(number, title=f"Title {title}" if title else "", context=f"Context {context}")
        for number, (title, context) in enumerate(places)
    ]
    train, dev = split_by_article(pool, dev_fraction=dev_fraction, max_dev=40, max_per_article=max_per_article)
    assert not {kept.context for kept in train} & {held.context for held in dev}
    assert not {kept.title for kept in train if kept.title} & {held.title for held in dev if held.title}
    assert len(dev) <= min(40, int(dev_fraction * len(pool)))
    assert len({each.id for each in train + dev}) == len(train) + len(dev)
