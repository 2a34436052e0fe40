import numpy as np
import pytest

from encoder.base import BASE_NAME
from indexer.question_means import STRENGTH, encode_questions, means_of, without_means

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def test_a_mean_is_shrunk_to_that_of_all_and_a_rare_language_has_none() -> None:
    vectors = np.array([EAST] * 40 + [NORTH] * 39 + [NORTH], dtype=np.float32)
    means = means_of(vectors, ["en"] * 40 + ["el"] * 39 + ["sw"])
    assert sorted(means) == ["all", "el", "en"]
    assert means["all"].tolist() == [0.5, 0.5]
    # (40 * 1 + 8 * 0.5) / 48 and (0 + 8 * 0.5) / 48
    assert means["en"] == pytest.approx([44 / 48, 4 / 48])


def test_the_mean_of_the_questions_language_is_taken_away_or_that_of_all() -> None:
    means = {"all": np.array([0.0, 1.0], np.float32), "en": np.array([1.0, 0.0], np.float32)}
    vectors = np.array([[0.6, 0.8]] * 3, dtype=np.float32)
    found = without_means(vectors, ["en", "xx", None], means)
    english, other = np.array([0.6 - STRENGTH, 0.8]), np.array([0.6, 0.8 - STRENGTH])
    assert found[0] == pytest.approx(english / np.linalg.norm(english), abs=1e-6)
    assert found[1] == pytest.approx(other / np.linalg.norm(other), abs=1e-6)
    assert found[2].tolist() == found[1].tolist()


def test_no_questions_give_no_vectors() -> None:
    assert without_means(np.zeros((0, 2), np.float32), [], {}).shape == (0, 2)


class Fixed:
    """An embedder that gives every text the same vector."""

    revision = "1"

    def __init__(self, name: str, dimension: int) -> None:
        self.name, self.dimension = name, dimension

    def encode_query(self, texts: list[str]) -> np.ndarray:
        return np.eye(1, self.dimension, dtype=np.float32).repeat(len(texts), axis=0)

    encode_document = encode_query


def test_other_embedders_keep_their_vectors() -> None:
    assert encode_questions(Fixed("fixed", 2), ["why?", "γιατί;"], ["en", "el"]).tolist() == [EAST, EAST]


def test_the_base_encoder_loses_the_shipped_mean_of_the_questions_language() -> None:
    greek, also_greek, thai = encode_questions(
        Fixed(BASE_NAME, 384), ["γιατί;", "πότε άνοιξε;", "ทำไม"], ["el", "el", "th"]
    )
    assert greek.tolist() == also_greek.tolist()
    assert not np.allclose(greek, thai)
    assert np.linalg.norm([greek, thai], axis=1) == pytest.approx([1, 1], abs=1e-6)
