from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import detect_language
from corpora.languages import canonical_language

QUESTIONS = {
    "ar": "ما هي عاصمة مصر؟",
    "de": "Wer schrieb den Faust?",
    "el": "Ποιος έγραψε την Οδύσσεια;",
    "en": "Who wrote Hamlet?",
    "es": "¿Quién escribió Don Quijote?",
    "fa": "پایتخت ایران کدام شهر است؟",
    "fr": "Qui a écrit Les Misérables ?",
    "he": "מי כתב את התנ״ך?",
    "hi": "भारत की राजधानी क्या है?",
    "ja": "日本で一番高い山は何ですか？",
    "ko": "한국의 수도는 어디입니까?",
    "pt": "Quem descobriu o Brasil?",
    "ru": "Кто написал «Войну и мир»?",
    "sw": "Mji mkuu wa Tanzania ni upi?",
    "th": "เมืองหลวงของประเทศไทยคือที่ไหน",
    "tr": "Türkiye'nin başkenti neresidir?",
    "uk": "Яке місто є столицею України?",
    "vi": "Ai đã viết Truyện Kiều?",
    "zh": "中国的首都是哪里？",
}


@pytest.mark.parametrize(("language", "question"), QUESTIONS.items())
def test_one_question_is_enough(language, question):
    assert detect_language(question) == language
    assert detect_language(f"\n\n {question}\r\n\x00 ") == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("谁发明了JavaScript？", "zh"),
        ("Τι είναι το JavaScript;", "el"),
        ("HTTPとは何ですか", "ja"),
        ("東京", "zh"),
        ("カメラ", "ja"),
        ("What does the Greek word λόγος mean in English?", "en"),
        ("WHO WROTE THE ODYSSEY AND WHEN WAS IT WRITTEN?", "en"),
    ],
)
def test_mixed_scripts_and_capitals(text, language):
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", " \n", "2 + 2 = 4?", "…!?", "😀👩‍👩‍👧", "\u0301\u0300", "\x00"])
def test_no_letters_no_language(text):
    assert detect_language(text) is None


def test_a_script_of_no_known_language_is_none():
    assert detect_language("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ") is None


def test_nothing_goes_over_the_network(monkeypatch):
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert detect_language("Where does this sentence come from, and what is it for?") == "en"


@given(text=st.text())
def test_any_text_gives_a_code_or_none(text):
    language = detect_language(text)
    assert language is None or canonical_language(language) == language
    if not any(char.isalpha() for char in text):
        assert language is None


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("EN", "en"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("sr-latn", "sr-Latn"),
        ("es-419", "es-419"),
        (" el ", "el"),
        ("English", None),
        ("e", None),
        ("", None),
        ("en-", None),
        ("ελ", None),
        ("de-CH-1901-x-a-b-c-d-e", "de-CH-1901-x-a-b-c-d-e"),
        ("en" + "-a" * 9, None),
    ],
)
def test_canonical_language(tag, canonical):
    assert canonical_language(tag) == canonical
