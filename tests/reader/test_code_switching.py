"""English words replaced by other languages', with the answer still in its place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader.code_switching import CodeSwitcher, read_lexicon
from reader.errors import ReaderError
from reader.examples import switched
from reader.questions import GoldAnswer, GoldQuestion

SHIPPED = Path(__file__).parents[2] / "reader" / "recipes" / "lexicon.tsv"
SWITCHER = CodeSwitcher(
    {
        "de": {"how many": "wie viele", "many": "viele", "towns": "Städte", "lie": "liegen", "the": "das"},
        "zh": {"how many": "多少", "towns": "城镇", "the": "-", "lie": "位于"},
    }
)


def switch(text: str, language: str, share: float = 1.0) -> str:
    return SWITCHER.switch(text, language, share, random.Random(0))


def test_words_and_phrases_are_replaced_and_the_rest_stays() -> None:
    assert switch("How many towns lie on the Oder?", "de") == "Wie viele Städte liegen on das Oder?"
    assert switch("So MANY towns, many!", "de") == "So Viele Städte, viele!"


def test_a_script_without_spaces_has_none_and_an_absent_word_leaves_none() -> None:
    assert switch("How many towns lie on the Oder?", "zh") == "多少城镇位于 on Oder?"


def test_the_share_decides_how_many() -> None:
    text = "towns lie " * 500
    assert switch(text, "de", 0.0) == text
    assert switch(text, "de", 0.3).count("Städte") == pytest.approx(150, abs=40)


@given(st.text(alphabet="abn .—é\u0301\n", max_size=30), st.text(alphabet="Oder 12", min_size=1).map(str.strip))
def test_the_answer_stands_where_it_says_whatever_was_replaced(before: str, answer: str) -> None:
    words = f"the {answer} towns".strip()
    context = f"{before} how many {words} lie"
    question = GoldQuestion(
        id="q",
        question="How many towns?",
        context=context,
        title="",
        language="en",
        answers=(GoldAnswer(text=words, start=context.index(words)),),
    )
    for seed in range(8):
        made = switched(question, SWITCHER, random.Random(seed))
        (place,) = made.answers
        assert made.context[place.start : place.end] == place.text
        assert place.text == place.text.strip() != ""


def test_an_unanswerable_question_stays_one() -> None:
    question = GoldQuestion(id="q", question="How many?", context="the towns", title="", language="en", answers=())
    made = {switched(question, SWITCHER, random.Random(seed)) for seed in range(20)}
    assert all(not each.answers for each in made)
    assert {each.context for each in made} > {"the towns", "das Städte"}


def test_the_shipped_list_has_ten_languages_and_no_gap() -> None:
    lexicon = read_lexicon(SHIPPED)
    assert lexicon.languages == ("ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh")
    assert lexicon.switch("who founded", "ru", 1.0, random.Random(0)) == "кто основан"


@pytest.mark.parametrize("content", ["", "de\ten\na\tb\n", "en\tde\nword\n"])
def test_what_is_no_word_list_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReaderError, match=r"words\.tsv: not a word list"):
        read_lexicon(path)
    with pytest.raises(ReaderError, match=r"gone\.tsv: not a word list"):
        read_lexicon(tmp_path / "gone.tsv")
