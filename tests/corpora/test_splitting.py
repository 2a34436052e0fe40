from __future__ import annotations

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from corpora import Document, Section, Splitter, UsageError


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


WORDS = word_offsets()
CHARACTERS = character_offsets()


def document(text, language="en", **more):
    return Document(id="d", text=text, language=language, **more)


def texts(passages):
    return [passage.text for passage in passages]


def sentence(number, words=10):
    return f"Number{number} " + "word " * (words - 2) + "end."


def test_a_short_document_is_one_passage_with_all_its_marks():
    splitter = Splitter(WORDS)
    (passage,) = splitter.split(
        document("  Hello there.\n", title="T", source="/f.txt", sections=(Section(start=1, headings=("H",), page=3),))
    )
    assert (passage.id, passage.document_id, passage.text, passage.start) == ("d@2", "d", "Hello there.", 2)
    assert (passage.title, passage.headings, passage.page) == ("T", ("H",), 3)
    assert (passage.language, passage.source, passage.end) == ("en", "/f.txt", 14)


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\u2028\u3000"])
def test_a_blank_document_has_no_passages(text):
    assert Splitter(WORDS).split(document(text)) == []


def test_sentences_are_dealt_out_evenly_with_one_of_overlap():
    sentences = [sentence(number) for number in range(6)]
    splitter = Splitter(WORDS, target_tokens=30, max_tokens=60)
    assert texts(splitter.split(document(" ".join(sentences)))) == [
        " ".join(sentences[0:3]),
        " ".join(sentences[2:6]),
    ]
    alone = Splitter(WORDS, target_tokens=30, max_tokens=60, overlap_sentences=0)
    assert texts(alone.split(document(" ".join(sentences)))) == [" ".join(sentences[0:3]), " ".join(sentences[3:6])]


def test_a_text_a_little_over_the_target_stays_whole():
    text = " ".join(sentence(number) for number in range(4))
    assert texts(Splitter(WORDS, target_tokens=30, max_tokens=60).split(document(text))) == [text]


def test_a_sentence_over_a_third_of_the_target_is_not_repeated():
    sentences = [sentence(number, words=11) for number in range(6)]
    splitter = Splitter(WORDS, target_tokens=30, max_tokens=60)
    assert texts(splitter.split(document(" ".join(sentences)))) == [" ".join(sentences[:3]), " ".join(sentences[3:])]


def test_several_sentences_of_overlap_stay_within_a_third_of_the_target():
    sentences = [sentence(number, words=4) for number in range(20)]
    splitter = Splitter(WORDS, target_tokens=40, max_tokens=80, overlap_sentences=5)
    first, second = splitter.split(document(" ".join(sentences)))
    assert first.text == " ".join(sentences[:10])
    assert second.text == " ".join(sentences[7:])


def test_short_paragraphs_are_joined_and_borders_are_preferred():
    paragraphs = [sentence(number, words=12) for number in range(4)]
    splitter = Splitter(WORDS, target_tokens=24, max_tokens=48, overlap_sentences=0)
    text = "\r\n \r\n".join(paragraphs)
    assert texts(splitter.split(document(text))) == [
        "\r\n \r\n".join(paragraphs[:2]),
        "\r\n \r\n".join(paragraphs[2:]),
    ]


@pytest.mark.parametrize(
    ("gap", "count"), [("\r\n", 1), ("\n", 1), ("\r", 1), ("\r\n\r\n", 2), ("\n\t\n", 2), ("\u2029", 2)]
)
def test_only_a_blank_line_ends_a_paragraph(gap, count):
    splitter = Splitter(WORDS, target_tokens=24, max_tokens=48, overlap_sentences=0)
    assert len(splitter.split(document(sentence(0, words=16) + gap + sentence(1, words=16)))) == count


def test_sentences_stay_whole_where_a_long_text_is_read_in_blocks():
    sentences = [sentence(number, words=17) for number in range(400)]
    text = " ".join(sentences)
    assert len(text) > 30_000
    passages = Splitter(WORDS, target_tokens=9, max_tokens=34, overlap_sentences=0).split(document(text))
    assert texts(passages) == sentences


def test_wide_white_space_after_an_initial_breaks_nothing(capfd):
    text = "Plan D\u2029. Next D\u2028. Last D\u3000. End."
    words = " ".join(texts(Splitter(WORDS, target_tokens=1, max_tokens=2).split(document(text)))).split()
    assert words == ["Plan", "D", ".", "Next", "D", ".", "Last", "D", ".", "End."]
    assert capfd.readouterr().err == ""


def test_a_stub_goes_with_what_follows_and_a_last_one_with_what_precedes():
    heading, body, closing = "Heading", sentence(1, words=30), "The end."
    splitter = Splitter(WORDS, target_tokens=30, max_tokens=60, overlap_sentences=0)
    text = f"{sentence(0, words=30)}\n\n{heading}\n\n{body}\n\n{closing}"
    assert texts(splitter.split(document(text))) == [sentence(0, words=30), f"{heading}\n\n{body}\n\n{closing}"]


def test_sections_are_never_crossed_or_overlapped():
    text = "Intro here. # One\nFirst. Second.\n# Two\nThird."
    one, two = text.index("# One"), text.index("# Two")
    sections = (Section(start=one, headings=("One",)), Section(start=two, headings=("Two",), page=2))
    passages = Splitter(WORDS, target_tokens=30, max_tokens=60).split(document(text, sections=sections))
    assert [(passage.text, passage.headings, passage.page) for passage in passages] == [
        ("Intro here.", (), None),
        ("# One\nFirst. Second.", ("One",), None),
        ("# Two\nThird.", ("Two",), 2),
    ]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("el", ["Πού είναι; ", "Εδώ. ", "Τι λες; ", "Ναι."]),
        ("hi", ["यह पहला है। ", "यह दूसरा है। ", "यह तीसरा है। ", "बस।"]),
        ("zh", ["今天很好。", "明天下雨。", "你来吗？", "来！"]),
        ("ja", ["今日は晴れ。", "明日は雨。", "来ますか？", "はい。"]),
        ("ar", ["هل أنت هنا؟ ", "نعم. ", "هذا جيد. ", "شكرا."]),
        ("zh-Hant", ["今天很好。", "明天下雨。", "你來嗎？", "來！"]),
        ("xx", ["One thing. ", "Two things. ", "Three things. ", "Four."]),
        (None, ["One thing. ", "Two things. ", "Three things. ", "Four."]),
    ],
)
def test_passages_end_where_sentences_end_in_every_script(language, sentences):
    splitter = Splitter(CHARACTERS, target_tokens=8, max_tokens=30, overlap_sentences=0)
    ends = {len("".join(sentences[:count]).rstrip()) for count in range(1, 5)}
    passages = splitter.split(document("".join(sentences), language=language))
    assert len(passages) > 1
    assert {passage.end for passage in passages} <= ends


def test_an_abbreviation_does_not_end_a_sentence():
    text = "He met Dr. Smith in the old town. " * 6
    passages = Splitter(WORDS, target_tokens=8, max_tokens=16, overlap_sentences=0).split(document(text))
    assert texts(passages) == ["He met Dr. Smith in the old town."] * 6


def test_thai_without_sentence_marks_is_cut_at_spaces():
    phrases = ["กรุงเทพเป็นเมืองหลวง", "ของประเทศไทย", "มีประชากรมาก", "และมีวัดสวยงาม", "ริมแม่น้ำเจ้าพระยา"]
    splitter = Splitter(CHARACTERS, target_tokens=30, max_tokens=40, overlap_sentences=0)
    passages = splitter.split(document(" ".join(phrases), language="th"))
    assert " ".join(texts(passages)) == " ".join(phrases)
    assert len(passages) > 1


def test_without_spaces_words_are_kept_whole():
    words = ["สวัสดี", "ครับ"] * 12
    splitter = Splitter(CHARACTERS, target_tokens=24, max_tokens=30, overlap_sentences=0)
    passages = splitter.split(document("".join(words), language="th"))
    assert "".join(texts(passages)) == "".join(words)
    edges = {len("".join(words[:count])) for count in range(len(words) + 1)}
    assert {passage.start for passage in passages} <= edges


def test_a_word_over_the_limit_is_cut_at_tokens():
    splitter = Splitter(CHARACTERS, target_tokens=8, max_tokens=10, overlap_sentences=0)
    passages = splitter.split(document("x" * 95))
    assert "".join(texts(passages)) == "x" * 95
    assert max(len(passage.text) for passage in passages) <= 10


def test_a_code_point_of_more_tokens_than_the_maximum_stands_alone():
    def bytewise(text):
        return [(place, place + 1) for place, char in enumerate(text) for _ in char.encode()]

    passages = Splitter(bytewise, target_tokens=2, max_tokens=2).split(document("a😀b"))
    assert "".join(texts(passages)) == "a😀b"
    assert "😀" in texts(passages)


@pytest.mark.parametrize(
    ("unit", "language"), [("x", "en"), ("漢字", "zh"), ("\u200d", "en"), ("สวัสดี", "th"), ("a\n\n", "en"), (" ", "en")]
)
def test_a_long_text_without_sentences_is_split_in_bounded_pieces(unit, language):
    longest = 0

    def counted(text):
        nonlocal longest
        longest = max(longest, len(text))
        return CHARACTERS(text)

    text = unit * (200_000 // len(unit))
    passages = Splitter(counted).split(document(text, language=language))
    assert longest <= 8_192
    assert sum(len(passage.text.replace("\n", "")) for passage in passages) >= len(text.replace("\n", "").strip())


@pytest.mark.parametrize(
    "options", [{"target_tokens": 0}, {"target_tokens": 500}, {"max_tokens": 100}, {"overlap_sentences": -1}]
)
def test_impossible_sizes_are_refused(options):
    with pytest.raises(UsageError, match="must be"):
        Splitter(WORDS, **options)
