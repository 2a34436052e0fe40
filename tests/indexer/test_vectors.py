"""Exact search, held against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from indexer import DamagedIndex
from indexer.store import VectorBlock
from indexer.vectors import FlatVectorIndex


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def index_of(vectors: np.ndarray, keys: list[int] | None = None) -> FlatVectorIndex:
    numbers = np.arange(1, len(vectors) + 1) if keys is None else np.array(keys)
    blocks = [
        VectorBlock(
            keys=numbers[start : start + 100].astype(np.int64),
            vectors=vectors[start : start + 100],
            languages=("en",) * len(vectors[start : start + 100]),
        )
        for start in range(0, len(vectors), 100)
    ]
    return FlatVectorIndex.build(vectors.shape[1], blocks)


def brute_force(vectors: np.ndarray, query: np.ndarray, top_k: int) -> list[int]:
    scores = (vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    return sorted(range(1, len(vectors) + 1), key=lambda key: (-scores[key - 1], key))[:top_k]


@pytest.mark.parametrize("top_k", [1, 7, 20, 250, 1000])
def test_the_best_are_those_of_brute_force(top_k):
    random = np.random.default_rng(1)
    vectors, queries = unit(random.normal(size=(250, 24))), unit(random.normal(size=(30, 24)))
    found = index_of(vectors).search(queries, top_k)
    for query, hits in zip(queries, found, strict=True):
        assert hits.keys.tolist() == brute_force(vectors, query, top_k)
        np.testing.assert_allclose(hits.scores, vectors[hits.keys - 1] @ query, atol=1e-6)


def test_a_vector_finds_itself_with_score_one():
    vectors = unit(np.random.default_rng(2).normal(size=(50, 8)))
    for key, hits in enumerate(index_of(vectors).search(vectors, 1), 1):
        assert hits.keys.tolist() == [key]
        assert hits.scores[0] == pytest.approx(1.0, abs=1e-6)


def test_equal_scores_are_ordered_by_key_even_at_the_cut():
    vectors = unit(np.random.default_rng(3).normal(size=(300, 8)))
    vectors[40:140] = vectors[40]
    hits = index_of(vectors).search(vectors[40:41], 30)[0]
    assert hits.keys.tolist() == list(range(41, 71))
    assert len(set(hits.scores.tolist())) == 1


def test_keys_need_not_be_consecutive():
    hits = index_of(np.eye(3, dtype=np.float32), [5, 70, 9_000_000_000]).search(np.eye(3, dtype=np.float32)[2:], 2)[0]
    assert hits.keys.tolist() == [9_000_000_000, 5]
    assert hits.scores.tolist() == [1.0, 0.0]


def test_alone_and_in_a_batch_scores_are_the_same():
    random = np.random.default_rng(4)
    vectors, queries = unit(random.normal(size=(500, 48))), unit(random.normal(size=(64, 48)))
    index = index_of(vectors)
    for query, together in zip(queries, index.search(queries, 10), strict=True):
        alone = index.search(query[None], 10)[0]
        assert alone.keys.tolist() == together.keys.tolist()
        assert alone.scores.tolist() == together.scores.tolist()


def test_an_empty_index_and_no_queries_find_nothing():
    empty = FlatVectorIndex.build(4, [])
    found = empty.search(np.eye(4, dtype=np.float32)[:2], 5)
    assert [hits.keys.tolist() for hits in found] == [[], []]
    assert index_of(np.eye(4, dtype=np.float32)).search(np.empty((0, 4), np.float32), 5) == []


def test_bytes_round_trip_and_refuse_what_does_not_fit():
    vectors = unit(np.random.default_rng(5).normal(size=(20, 8)))
    index = index_of(vectors)
    data = index.to_bytes()
    again = FlatVectorIndex.from_bytes(data, index.keys, 8)
    assert again.search(vectors[:1], 3)[0].keys.tolist() == index.search(vectors[:1], 3)[0].keys.tolist()
    for wrong_data, keys, dimension in [(data, index.keys[:-1], 8), (data, index.keys, 9), (data[:-1], index.keys, 8)]:
        with pytest.raises(DamagedIndex):
            FlatVectorIndex.from_bytes(wrong_data, keys, dimension)
