"""Word spans count code points, also behind characters that take two UTF-16 units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.words import word_spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("two words.", ["two", " ", "words", "."]),
        ("a😀 b", ["a", "😀", " ", "b"]),
        ("𠮷野家 東京", ["𠮷", "野家", " ", "東京"]),
        ("😀ไปโรงเรียน", ["😀", "ไป", "โรงเรียน"]),
    ],
)
def test_words_by_hand(text, words):
    assert [text[start:end] for start, end in word_spans(text)] == words


@given(st.text())
def test_spans_cover_any_text(text):
    spans = list(word_spans(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)
