"""Judging: the expected words, or a little more around them."""

from __future__ import annotations

import pytest

from service.judging import is_right


@pytest.mark.parametrize(
    ("text", "expected", "language"),
    [
        ("Karl Landsteiner", "Karl Landsteiner", "en"),
        ("the Danube.", "Danube", "en"),
        ("in the year 1901", "1901", "en"),
        ("das Jahr 1901 war", "1901", "de"),
        ("Ο Καρλ Λαντστάινερ", "Καρλ Λαντστάινερ", "el"),
        ("1901年", "1901", "zh"),
        ("在北京大学", "北京大学", "zh"),
        ("東京の大学である", "大学", "ja"),
        ("ในปี 1901", "1901", "th"),
        ("63 elements", "63", "en"),
    ],
)
def test_right(text: str, expected: str, language: str) -> None:
    assert is_right(text, [expected], language)


@pytest.mark.parametrize(
    ("text", "expected", "language"),
    [
        ("Landsteiner", "Karl Landsteiner", "en"),
        ("in the autumn of the year 1901", "1901", "en"),
        ("Landsteiner Karl", "Karl Landsteiner", "en"),
        ("19010", "1901", "en"),
        ("1901年", "19", "zh"),
        ("中华人民共和国首都北京大学一二三四五", "北京", "zh"),
        ("", "1901", "en"),
        ("...", "!", "en"),
    ],
)
def test_wrong(text: str, expected: str, language: str) -> None:
    assert not is_right(text, [expected], language)


def test_exactly_three_more_words_are_allowed_and_twelve_characters() -> None:
    assert is_right("one two three 1901", ["1901"], "en")
    assert not is_right("one two three four 1901", ["1901"], "en")
    assert is_right("一二三四五六七八九十百千北京", ["北京"], "zh")
    assert not is_right("一二三四五六七八九十百千万北京", ["北京"], "zh")


def test_any_of_the_expected_answers_will_do() -> None:
    assert is_right("NYC", ["New York", "NYC"], "en")


def test_nothing_is_right_where_nothing_is_expected() -> None:
    assert not is_right("1901", [], "en")
