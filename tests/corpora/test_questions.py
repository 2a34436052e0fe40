from __future__ import annotations

import pytest

from corpora import QuestionError, validate_question


def test_white_space_around_a_question_goes_and_nothing_inside_changes():
    assert validate_question(" \n\u3000Ποιος  e\u0301γραψε\x00 👩‍👧;\r\n") == "Ποιος  e\u0301γραψε\x00 👩‍👧;"


def test_the_limit_counts_code_points_after_stripping():
    longest = "😀" * 2_000
    assert validate_question(f" {longest} ") == longest
    with pytest.raises(QuestionError, match="has 2,001 characters: at most 2,000 are accepted"):
        validate_question(longest + "x")


@pytest.mark.parametrize("question", ["", " \t\r\n\u3000\u2028"])
def test_an_empty_question_is_refused(question):
    with pytest.raises(QuestionError, match="the question is empty: write at least one word"):
        validate_question(question)


@pytest.mark.parametrize(("question", "place"), [("ab\ud800", "U+D800"), ("\udfffx", "U+DFFF")])
def test_half_a_surrogate_pair_is_refused_in_one_printable_line(question, place):
    with pytest.raises(QuestionError) as raised:
        validate_question(question)
    assert place in str(raised.value)
    assert str(raised.value).isprintable()


def test_the_message_about_ten_megabytes_is_short():
    with pytest.raises(QuestionError) as raised:
        validate_question("x" * 10_000_000)
    assert len(str(raised.value)) < 100
