"""Language means, by hand in two dimensions."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.centering import language_means
from indexer.store import VectorBlock


def block(first_key, vectors, languages):
    keys = np.arange(first_key, first_key + len(vectors), dtype=np.int64)
    return VectorBlock(keys=keys, vectors=np.array(vectors, np.float32), languages=tuple(languages))


BLOCKS = [
    block(1, [[1.0, 0.0], [0.0, 1.0]], ["en", "ru"]),
    block(3, [[0.6, 0.8], [0.0, 1.0]], ["en", "ru"]),
]


def test_means_by_hand_shrink_towards_the_overall_mean_and_that_towards_zero():
    means = language_means(BLOCKS).of_language
    # en sums to (1.6, 0.8), ru to (0, 2), all to (1.6, 2.8); overall is that over 4 + 4.
    assert means["en"] == pytest.approx([(1.6 + 4 * 0.2) / 6, (0.8 + 4 * 0.35) / 6], abs=1e-7)
    assert means["ru"] == pytest.approx([(0.0 + 4 * 0.2) / 6, (2.0 + 4 * 0.35) / 6], abs=1e-7)


def test_centered_vectors_lose_their_mean_and_keep_unit_length_and_keys():
    means = language_means(BLOCKS)
    first = next(means.centered(BLOCKS))
    rest = np.array([1.0, 0.0]) - means.of_language["en"]
    assert first.vectors[0] == pytest.approx(rest / np.hypot(*rest), abs=1e-6)
    assert np.linalg.norm(first.vectors, axis=1) == pytest.approx([1.0, 1.0], abs=1e-6)
    assert first.keys.tolist() == [1, 2]


def test_a_single_passage_keeps_its_direction():
    alone = [block(1, [[0.6, 0.8]], ["und"])]
    (centered,) = language_means(alone).centered(alone)
    assert centered.vectors[0] == pytest.approx([0.6, 0.8], abs=1e-6)


def test_a_passage_of_another_language_passes_a_worse_one_of_the_questions_own():
    # The first axis is the language, the second the subject; the question is English and about the subject.
    english = [[0.96, 0.28], [0.96, -0.28], [1.0, 0.0], [0.96, 0.28]]
    greek = [[-0.6, 0.8], [-0.96, -0.28], [-0.96, -0.28], [-0.96, 0.28]]
    mixed = [block(1, greek + 25 * english + 25 * greek[1:], ["el"] * 4 + ["en"] * 100 + ["el"] * 75)]
    question = np.array([0.8, 0.6])
    (centered,) = language_means(mixed).centered(mixed)
    assert np.argmax(mixed[0].vectors @ question) == 4  # an English one
    assert np.argmax(centered.vectors @ question) == 0  # the Greek one about the subject


def test_no_passages_have_no_means():
    assert language_means([]).of_language == {}
