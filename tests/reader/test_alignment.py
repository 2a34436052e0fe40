"""Pieces of an XLM tokenizer with a vocabulary learned from sentences in eleven languages, and their places."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reader.alignment import XlmPieces, align, load_xlm_tokenizer
from reader.errors import ReaderError

LOWER, CASED = True, False


@pytest.fixture(scope="module")
def encoders(tokenizer_directories: dict[bool, Path]) -> dict[bool, XlmPieces]:
    return {lower: XlmPieces(load_xlm_tokenizer(path)) for lower, path in tokenizer_directories.items()}


def places(encoder: XlmPieces, text: str) -> list[str]:
    (pieces,) = encoder.encode_passages([text])
    return [text[start:end] for start, end in pieces.offsets]


def runs(encoder: XlmPieces, text: str) -> list[tuple[int, int]]:
    """Return the places of a text's pieces, those that touch or share characters joined."""
    (pieces,) = encoder.encode_passages([text])
    joined: list[tuple[int, int]] = []
    for start, end in pieces.offsets:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


@pytest.mark.parametrize(
    ("lower", "text", "expected"),
    [
        pytest.param(LOWER, "xÉxq", ["x", "É", "x", "q"], id="composed accents"),
        pytest.param(LOWER, "xE\u0301xq", ["x", "E\u0301", "x", "q"], id="decomposed accents"),
        pytest.param(CASED, "xE\u0301xq", ["x", "E", "\u0301", "x", "q"], id="accents that are kept"),
        pytest.param(LOWER, "x\u200bq", ["x", "q"], id="a control character between"),
        pytest.param(LOWER, "x\u200dq", ["x\u200d", "q"], id="a joiner belongs to the letter before it"),
        pytest.param(LOWER, "\ufeffxq", ["x", "q"], id="a control character first"),
        pytest.param(LOWER, "xq…x", ["x", "q", "…", "x"], id="one character becomes three"),
        pytest.param(LOWER, "x''q", ["x", "''", "q"], id="two characters become one"),
        pytest.param(LOWER, 'xq",', ["x", "q", '"', ","], id="quote and comma that Moses swaps"),
        pytest.param(LOWER, "x\u00a01", ["x", "1"], id="a no-break space inside a word"),
        pytest.param(LOWER, "ΣΑΣ", ["Σ", "Α", "Σ"], id="a final sigma depends on its place"),
        pytest.param(LOWER, "İq", ["İ", "q"], id="lower-casing to two characters"),
        pytest.param(LOWER, "ﬁﬃ", ["ﬁ", "ﬃ"], id="ligatures"),
        pytest.param(CASED, "各国（美", ["各", "国", "（", "美"], id="fullwidth punctuation"),
        pytest.param(LOWER, "q&amp;x", ["q", "&", "a", "m", "p", ";", "x"], id="nothing is escaped"),
        pytest.param(LOWER, "qDOTMULTIx", ["q", "DOTMULTI", "x"], id="a word that Moses takes for its own mark"),
        pytest.param(LOWER, "ßq\t x", ["ß", "q", "x"], id="unknown pieces have their place too"),
    ],
)
def test_places_worked_by_hand(encoders: dict[bool, XlmPieces], lower: bool, text: str, expected: list[str]) -> None:
    assert [place for place in places(encoders[lower], text) if place] == expected


def test_syllables_that_fall_apart_share_their_place(encoders: dict[bool, XlmPieces]) -> None:
    assert set(places(encoders[LOWER], "한국")) == {"한", "국"}


def test_a_sentence_without_spaces_is_placed_finely(encoders: dict[bool, XlmPieces], sentences: dict[str, str]) -> None:
    for language in ("zh", "th"):
        for encoder in encoders.values():
            assert max(len(place) for place in places(encoder, sentences[language])) <= 8


def test_the_sentences_that_the_vocabulary_was_learned_from_have_no_unknown_piece(
    tokenizer_directories: dict[bool, Path], encoders: dict[bool, XlmPieces], sentences: dict[str, str]
) -> None:
    for lower, encoder in encoders.items():
        unknown = load_xlm_tokenizer(tokenizer_directories[lower]).unk_token_id
        for text in sentences.values():
            (pieces,) = encoder.encode_passages([text])
            assert unknown not in pieces.ids, text
        assert len(encoder.encode_passages([sentences["en"]])[0].ids) < len(sentences["en"]) / 2, "nothing was merged"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_word_of_the_sentences_comes_back_whole(
    encoders: dict[bool, XlmPieces], sentences: dict[str, str], form: str
) -> None:
    """Whatever Unicode form, the pieces of a word cover it from its first to its last character."""
    for encoder in encoders.values():
        for language, sentence in sentences.items():
            text = unicodedata.normalize(form, sentence)
            words, start = [], 0
            for word in text.split(" "):
                words.append((start, start + len(word)))
                start += len(word) + 1
            assert runs(encoder, text) == words, language


def test_passages_are_tokenised_word_by_word_and_questions_whole(
    tokenizer_directories: dict[bool, Path], encoders: dict[bool, XlmPieces]
) -> None:
    tokenizer = load_xlm_tokenizer(tokenizer_directories[CASED])
    # Moses parts the full stop of "the." from its word at the end of a text, but not before a small letter.
    text = "the bridge of stone the. river"
    by_word = [number for word in text.split() for number in tokenizer.encode(word, add_special_tokens=False)]
    (pieces,) = encoders[CASED].encode_passages([text])
    (question,) = encoders[CASED].encode_questions([text])
    assert list(pieces.ids) == by_word
    assert list(question) == tokenizer.encode(text, add_special_tokens=False)
    assert list(question) != by_word


@pytest.mark.parametrize("text", ["</s>", "<s> x </s>", "<unk>", "<special1>", "<pad>q"])
def test_special_tokens_written_as_words_stay_words(encoders: dict[bool, XlmPieces], text: str) -> None:
    specials = {0, 1, 2, 4, 5}
    for encoder in encoders.values():
        (pieces,), (question,) = encoder.encode_passages([text]), encoder.encode_questions([text])
        assert not specials & {*pieces.ids, *question}
        assert "".join(places(encoder, text)) == text.replace(" ", "")


def test_a_piece_that_stands_for_nothing_has_an_empty_place() -> None:
    assert align("ab", ["a", "b"], ["a", "!", "b"]) == [(0, 1), (1, 1), (1, 2)]
    assert align("ab", ["a", "b"], ["?", "ab"]) == [(0, 0), (0, 2)]


def test_stretches_that_differ_are_bridged() -> None:
    assert align("abcdef", list("abcdef"), ["ab", "XYZ", "ef"]) == [(0, 2), (2, 4), (4, 6)]
    assert align("abc", list("abc"), list("xyz")) == [(0, 1), (1, 2), (2, 3)]
    assert align("abc", list("abc"), []) == []
    assert align("\u0301", [""], []) == []


words = st.text(
    alphabet=st.sampled_from("ab\"',.…`«»—„ \u00a0\u0301\u200d\u200b\u00ad(){}&;<>/sΣİßﬁ한각１０。，”ऀिก็北\U0001f1e9"),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | words)
@example(
    '"",,"".',
)
@example("DOTMULTIDOTDOTMULTI" * 9)
@example("ΑΣ" * 40 + '",' * 40)
def test_places_hold_for_every_text(encoders: dict[bool, XlmPieces], text: str) -> None:
    for encoder in encoders.values():
        (pieces,) = encoder.encode_passages([text])
        assert len(pieces.ids) == len(pieces.offsets)
        before = (0, 0)
        for start, end in pieces.offsets:
            assert 0 <= start <= end <= len(text)
            assert before[0] <= start
            assert before[1] <= end
            assert not {" ", "\t", "\r", "\n", "\u202f"} & set(text[start:end]), "a piece left its word"
            before = (start, end)


@settings(deadline=None)
@given(st.lists(st.text("abc", max_size=3), max_size=12), st.lists(st.text("abcd", max_size=4), max_size=12))
def test_alignment_holds_whatever_the_tokenizer_made_of_a_word(forms: list[str], pieces: list[str]) -> None:
    word = "x" * len(forms)
    spans = align(word, forms, pieces)
    assert len(spans) == len(pieces)
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= start <= end <= len(word) for start, end in spans)


def test_a_long_word_that_agrees_nowhere_takes_no_long_time() -> None:
    spans = align("ab" * 20_000, list("ab" * 20_000), ["c" * 3] * 10_000)
    assert spans[0] == (0, 40_000)


def test_a_directory_without_its_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"vocab\.json is missing"):
        load_xlm_tokenizer(tmp_path)
    (tmp_path / "vocab.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReaderError, match=r"merges\.txt is missing"):
        load_xlm_tokenizer(tmp_path)
    (tmp_path / "merges.txt").write_text("", encoding="utf-8")
    with pytest.raises(ReaderError, match="the tokenizer cannot be read"):
        load_xlm_tokenizer(tmp_path)
