"""Words of every script, by hand, and for any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.terms import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ... ", []),
        ("The 1,250-metre Tower", ["the", "1,250", "metre", "tower"]),
        ("l’eau, Ankara'da", ["l", "eau", "ankara", "da"]),
        ("İSTANBUL istanbul", ["istanbul", "istanbul"]),
        ("Straße ﬁne", ["strasse", "fine"]),
        ("مُحَمَّد كـتاب", ["محمد", "كتاب"]),
        ("शहडोल के", ["शहडोल", "के"]),
        ("中国的首都", ["中国", "的", "首都", "中国", "国的", "的首", "首都"]),
        ("第5章", ["第", "5", "章", "第", "章"]),
        ("서울은", ["서울은", "서울", "울은"]),
        ("กรุงเทพ", ["กรุงเทพ", "กร", "รุ", "ุง", "งเ", "เท", "ทพ"]),
    ],
)
def test_words_by_hand(text, expected):
    assert terms(text) == expected


@given(st.text())
def test_any_text_has_terms_and_case_changes_none(text):
    found = terms(text)
    assert all(term and not any(character.isspace() for character in term) for term in found)
    assert terms(text.casefold()) == found
