"""Hand-worked values of the scoring rules, language by language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader.scoring import exact_match, f1, normalize_answer, normalize_squad

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ja", "km", "ro", "ru", "th", "tr", "vi", "zh", "zh-Hant", None)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The  Beatles' (1960–70), a band!", "beatles 196070 band"),
        ("en", "An anthem, then another", "anthem then another"),
        ("en", "$5 + 5%", "5 5"),
        ("es", "¿Los ríos y las montañas de la Unión?", "ríos y montañas de unión"),
        ("es", "Elías y una lámpara", "elías y lámpara"),
        ("de", "Die Größe des „Hauses“ einer Dame", "größe hauses dame"),
        ("de", "Einem das dem den der ein eine einen eines Ort", "ort"),
        ("de", "Dieses Dorf", "dieses dorf"),
        ("vi", "Những cái bàn là của chiếc xe", "bàn xe"),
        ("vi", "The cats", "the cats"),
        ("hi", "भारत, एक देश।", "भारत एक देश"),
        ("ar", "والعالم، البيت", "و ع م بيت"),
        ("ar", "خلال", "خل"),
        ("zh", "北京市,abc 大学2008年。", "北 京 市 abc 大 学 2008 年"),
        ("zh-Hant", "臺北101大樓", "臺 北 101 大 樓"),
        ("ZH-TW", "臺北", "臺 北"),
        ("ja", "東京タワー(とうきょう)Tower 21", "東 京 タ ワ ー と う き ょ う tower 21"),
        ("ja", "佐々木", "佐 々 木"),
        ("th", "ประเทศไทยมีเมือง 77 Cities", "ประเทศไทย มี เมือง 77 cities"),
        ("lo", "ພາສາລາວ", "ພາສາ ລາວ"),
        ("el", "Το «Άργος»;", "το άργος"),
        ("ru", "«Война и мир»", "война и мир"),
        ("tr", "A'dan Z'ye", "adan zye"),
        ("ro", "O casă, un om", "o casă un om"),
        (None, "The 中国 ไทย カ", "the 中 国 ไทย カ"),
        ("en", "中国 ภาษาไทย", "中国 ภาษาไทย"),
        ("en", "", ""),
        ("en", "—  … !", ""),
    ],
)
def test_normalize_by_the_mlqa_rules(language: str | None, text: str, expected: str) -> None:
    assert normalize_answer(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Beatles' (1960–70), a band!", "beatles 1960–70 band"),
        ("Los ríos a «Madrid»", "los ríos «madrid»"),
        ("北京市。", "北京市。"),
        ("البيت،", "البيت،"),
    ],
)
def test_squad_rules_know_english_articles_and_ascii_punctuation_only(text: str, expected: str) -> None:
    assert normalize_squad(text, "zh") == expected
    assert normalize_squad(text, "en") == expected


@pytest.mark.parametrize(
    ("language", "prediction", "golds", "expected_f1", "expected_match"),
    [
        # 2 common tokens of 3 and of 2: 2 * 2 / 5.
        ("en", "the red big house", ["a big house"], 0.8, 0.0),
        ("en", "The Big House!", ["big house"], 1.0, 1.0),
        ("en", "house", ["garden", "the big house", "house boat"], 2 / 3, 0.0),
        # A token counts as often as it stands in both: one "new" of two, 2 * 1 / (2 + 1).
        ("en", "new new", ["new"], 2 / 3, 0.0),
        ("en", "cat", ["dog"], 0.0, 0.0),
        ("de", "im Jahr 1871", ["das Jahr 1871"], 0.8, 0.0),
        ("es", "el río Ebro", ["río Ebro"], 1.0, 1.0),
        ("vi", "của Hà Nội", ["Hà Nội"], 1.0, 1.0),
        ("hi", "नई दिल्ली में", ["नई दिल्ली।"], 0.8, 0.0),
        ("ar", "في البيت", ["البيت"], 2 / 3, 0.0),
        # 2 common characters of 3 and of 2.
        ("zh", "北京市", ["北京"], 0.8, 0.0),
        ("zh", "北 京", ["北京。"], 1.0, 1.0),
        # ประเทศไทย | มี | เมือง against ประเทศไทย.
        ("th", "ประเทศไทยมีเมือง", ["ประเทศไทย"], 0.5, 0.0),
        ("ru", "в Москве", ["в городе Москве"], 0.8, 0.0),
        ("el", "την Αθήνα", ["Αθήνα"], 2 / 3, 0.0),
        ("tr", "Ankara'da", ["ankarada"], 1.0, 1.0),
    ],
)
def test_scores_by_hand(
    language: str, prediction: str, golds: list[str], expected_f1: float, expected_match: float
) -> None:
    assert f1(prediction, golds, language) == pytest.approx(expected_f1, abs=1e-12)
    assert exact_match(prediction, golds, language) == expected_match


@pytest.mark.parametrize(
    ("language", "prediction", "gold", "expected_f1", "expected_match"),
    [
        ("zh", "北京市", "北京", 0.0, 0.0),
        ("th", "ประเทศไทยมีเมือง", "ประเทศไทย", 0.0, 0.0),
        ("es", "el río Ebro", "río Ebro", 0.8, 0.0),
        ("ar", "البيت،", "البيت", 0.0, 0.0),
        ("en", "The Big House!", "big house", 1.0, 1.0),
    ],
)
def test_scores_by_hand_under_squad_rules(
    language: str, prediction: str, gold: str, expected_f1: float, expected_match: float
) -> None:
    assert f1(prediction, [gold], language, normalize=normalize_squad) == pytest.approx(expected_f1, abs=1e-12)
    assert exact_match(prediction, [gold], language, normalize=normalize_squad) == expected_match


@pytest.mark.parametrize(("prediction", "expected"), [("", 1.0), (" ?", 1.0), ("Paris", 0.0)])
def test_without_expected_answers_only_an_empty_prediction_is_right(prediction: str, expected: float) -> None:
    assert f1(prediction, [], "en") == expected
    assert exact_match(prediction, [], "en") == expected


def test_an_answer_that_normalises_to_nothing_is_matched_by_nothing_only() -> None:
    assert f1("The", ["the"], "en") == 1.0
    assert f1("cat", ["the"], "en") == 0.0
    assert f1("", ["cat"], "en") == 0.0


@given(text=st.text(), language=st.sampled_from(LANGUAGES))
def test_no_character_but_white_space_and_what_the_rules_drop_is_lost(text: str, language: str | None) -> None:
    without_articles = None if language in {"ar", "de", "en", "es", "vi"} else language
    tokens = normalize_answer(text, without_articles).split()
    whole = normalize_answer(text, "ru").split()
    assert "".join(tokens) == "".join(whole)


@given(text=st.text(), language=st.sampled_from(LANGUAGES))
def test_every_text_matches_itself(text: str, language: str | None) -> None:
    assert exact_match(text, [text], language) == 1.0
    assert f1(text, [text], language) == 1.0


@given(first=st.text(), second=st.text(), language=st.sampled_from(LANGUAGES))
def test_f1_is_symmetric_and_between_zero_and_one(first: str, second: str, language: str | None) -> None:
    score = f1(first, [second], language)
    assert 0.0 <= score <= 1.0
    assert score == f1(second, [first], language)
    assert exact_match(first, [second], language) <= score
