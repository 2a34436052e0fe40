"""Coverage of a question's words, worked out by hand, and an index that is carried on."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from indexer.errors import DamagedIndex
from indexer.lexical import LexicalIndex, TextBlock


def block(first_key, *passages):
    """A block of (language, text) pairs with growing keys."""
    return TextBlock(
        keys=np.arange(first_key, first_key + len(passages), dtype=np.int64),
        texts=[text for _, text in passages],
        languages=[language for language, _ in passages],
    )


RIVERS = (("en", "the river rises"), ("en", "the river ends the"), ("en", "a lake"), ("de", "der fluss"))


def test_coverage_is_bm25_over_its_upper_bound():
    index = LexicalIndex.build([block(1, *RIVERS)])
    # Three English passages: "the" stands in 2 of them, "ends" in 1; the mean length is 11 / 4 terms.
    the, ends = log(1 + (3 - 2 + 0.5) / 2.5), log(1 + (3 - 1 + 0.5) / 1.5)

    def saturation(count, length):
        return 2.2 * count / (count + 1.2 * (0.25 + 0.75 * length / 2.75))

    bound = 2.2 * (the + ends)
    expected = [the * saturation(1, 3) / bound, (the * saturation(2, 4) + ends * saturation(1, 4)) / bound, 0, 0]
    assert index.coverage("Ends the?", "en") == pytest.approx(expected)


def test_a_word_of_every_passage_in_a_language_counts_little_though_few_have_it():
    passages = [("el", "το ποτάμι"), ("el", "το βουνό"), ("el", "το νησί"), *[("en", f"word{i}") for i in range(20)]]
    index = LexicalIndex.build([block(1, *passages)])
    # "το" is in all three, "ζει" in none, and "βουνό" in one.
    weights = log(1 + 0.5 / 3.5), log(1 + 3.5 / 0.5), log(1 + 2.5 / 1.5)
    saturation = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / (26 / 23)))
    expected = weights[0] * saturation / (2.2 * (weights[0] + weights[1]))
    assert index.coverage("το ζει", "el")[:3] == pytest.approx([expected] * 3)
    assert index.coverage("το βουνό", "el").argmax() == 1
    # Among all 23 passages it is rare, and so it is in a language that no passage is in.
    rare = log(1 + 20.5 / 3.5) * saturation / (2.2 * (log(1 + 20.5 / 3.5) + log(1 + 23.5 / 0.5)))
    for language in (None, "sw"):
        assert index.coverage("το ζει", language)[:3] == pytest.approx([rare] * 3)


def test_a_word_that_no_passage_has_lowers_the_coverage_of_the_others():
    index = LexicalIndex.build([block(1, *RIVERS)])
    assert 0 < index.coverage("lake zebra", "en")[2] < index.coverage("lake", "en")[2] < 1
    assert index.coverage("zebra", "en").tolist() == [0, 0, 0, 0]


def test_variants_of_a_language_count_as_one():
    index = LexicalIndex.build([block(1, ("zh-Hant", "河流"), ("zh", "山脉"), ("zh-Hans", "湖泊"), ("zh", "岛屿"))])
    assert index.languages.tolist() == ["zh"]
    assert index.coverage("河流", "zh").argmax() == 0


@pytest.mark.parametrize("question", ["", "?", "river"])
def test_an_empty_index_covers_nothing(question):
    assert LexicalIndex.build([]).coverage(question, "en").shape == (0,)


def test_questions_without_words_are_not_covered():
    assert not LexicalIndex.build([block(1, *RIVERS)]).coverage("?!", "en").any()


def test_an_index_is_carried_on_without_the_old_texts():
    former = LexicalIndex.build([block(1, *RIVERS)])
    kept = TextBlock(keys=np.array([2, 4, 9]), texts=["", "", "the mountain"], languages=["en", "de", "en"])
    anew = TextBlock(keys=kept.keys, texts=[RIVERS[1][1], RIVERS[3][1], "the mountain"], languages=kept.languages)
    assert LexicalIndex.build([kept], former).to_bytes() == LexicalIndex.build([anew]).to_bytes()


def test_an_index_comes_back_from_its_bytes_and_fits_its_passages():
    index = LexicalIndex.build([block(1, *RIVERS)])
    again = LexicalIndex.from_bytes(index.to_bytes(), index.keys)
    assert again.coverage("river", "en").tolist() == index.coverage("river", "en").tolist()
    with pytest.raises(DamagedIndex, match="other passages"):
        LexicalIndex.from_bytes(index.to_bytes(), index.keys + 1)
    for data in (b"", b"no archive", index.to_bytes()[:40]):
        with pytest.raises(DamagedIndex, match="no lexical index"):
            LexicalIndex.from_bytes(data)
