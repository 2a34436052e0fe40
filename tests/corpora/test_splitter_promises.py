from __future__ import annotations

import unicodedata
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from corpora import Document, Section, Splitter


def offsets_of(tokenizer):
    return lambda text: tokenizer.encode(text, add_special_tokens=False).offsets


def word_offsets():
    """One token a word, as white space parts them."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return offsets_of(tokenizer)


def character_offsets():
    """One token a code point, white space excepted."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")]
    )
    return offsets_of(tokenizer)


def unigram_offsets():
    """A tiny tokenizer of the encoder's kind: NFKC, words marked by a lower bar, the longest pieces win."""
    pieces = [
        ("<unk>", 0.0),
        ("▁", -3.0),
        ("a", -4.0),
        ("b", -4.0),
        ("ab", -5.0),
        ("abab", -6.0),
        ("▁a", -4.5),
        (".", -4),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return offsets_of(tokenizer)


WORDS = word_offsets()
CHARACTERS = character_offsets()
TOKENIZERS = {"words": WORDS, "characters": CHARACTERS, "unigram": unigram_offsets()}


WHITE_SPACE = ("\r\n", "\r", "\n\n", "\n", "\u2028", "\u2029", "\x85", "\u00a0", "\u3000", " ")
MARKS = (". ", "! ", "。", "؟ ", "। ", "; ", "D.", "Dr. ", "\x00", "\u200b", "\u200d", "\ufeff", "\u0301" * 5)
LETTERS = (
    "e\u0301",
    "é",
    "ﷺ",
    "👩‍👩‍👧",
    "🇬🇷",
    "\u202eשלום\u202c",
    "ไทย",
    "漢字",
    "かな",
    "한국",
    "abab",
    "ab",
    "\U0010ffff",
)
TRICKY = st.sampled_from(WHITE_SPACE + MARKS + LETTERS)
ANY_TEXT = st.one_of(st.text(max_size=300), st.lists(st.one_of(TRICKY, st.text(max_size=8)), max_size=60).map("".join))


def check(splitter, given_document):
    """Hold every promise of the splitter against one document."""
    text = given_document.text
    passages = splitter.split(given_document)
    covered = set()
    borders = [section.start for section in given_document.sections]
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert passage.id == f"d@{passage.start}"
        assert len(splitter.token_offsets(passage.text)) <= splitter.max_tokens or len(passage.text) == 1
        assert not any(passage.start < border < passage.end for border in borders)
        inside = [section.headings for section in given_document.sections if section.start <= passage.start]
        assert passage.headings == (inside[-1] if inside else ())
        covered.update(range(passage.start, passage.end))
    for before, after in pairwise(passages):
        assert before.start < after.start
        assert before.end < after.end
    assert all(char.isspace() or place in covered for place, char in enumerate(text))
    return True


@given(
    text=ANY_TEXT,
    language=st.sampled_from([None, "en", "el", "th", "zh", "ja", "ar", "hi", "my", "xx", "zh-Hant"]),
    tokenizer=st.sampled_from(sorted(TOKENIZERS)),
    target=st.integers(1, 20),
    room=st.integers(0, 20),
    overlap=st.integers(0, 3),
    borders=st.lists(st.integers(0, 300), max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_every_promise_holds_for_any_text(text, language, tokenizer, target, room, overlap, borders):
    sections = tuple(Section(start=start, headings=(str(start),)) for start in sorted(borders) if start <= len(text))
    splitter = Splitter(
        TOKENIZERS[tokenizer], target_tokens=target, max_tokens=target + room, overlap_sentences=overlap
    )
    assert check(splitter, Document(id="d", text=text, language=language, sections=sections))


def test_a_passage_that_counts_more_tokens_alone_is_cut_again():
    def jumpy(text):
        # Counts four tokens for a text that begins with "x": what a cut can do to a real tokenizer, overdone.
        return WORDS(text) * (4 if text.startswith("x") else 1)

    text = "start. " + "xa. " * 40
    passages = Splitter(jumpy, target_tokens=10, max_tokens=12).split(Document(id="d", text=text))
    assert all(len(jumpy(passage.text)) <= 12 for passage in passages)
    assert check(Splitter(jumpy, target_tokens=10, max_tokens=12), Document(id="d", text=text))


def test_a_neighbour_does_not_begin_where_a_passage_that_was_cut_again_begins():
    def jumpy(text):
        return WORDS(text) * (5 if text.count(".") in (2, 3) else 1)

    splitter = Splitter(jumpy, target_tokens=10, max_tokens=12)
    text = " ".join(f"One two three{number}." for number in range(12))
    assert any(passage.text.count(".") == 1 for passage in splitter.split(Document(id="d", text=text, language="en")))
    assert check(splitter, Document(id="d", text=text, language="en"))


def test_promises_hold_for_the_same_text_composed_and_decomposed():
    composed = "Ο Όμηρος έγραψε την Οδύσσεια. Πότε; Κανείς δεν ξέρει! " * 30
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        text = unicodedata.normalize(form, composed)
        assert check(Splitter(WORDS, target_tokens=20, max_tokens=40), Document(id="d", text=text, language="el"))
