"""From a question to ranked passages: by vectors, by words, or by both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from corpora.documents import Passage
from corpora.errors import UsageError
from corpora.languages import detect_language
from indexer import question_means
from indexer.embedding import Embedder
from indexer.errors import DamagedIndex
from indexer.filtering import PassageFilter
from indexer.lexical import LexicalIndex
from indexer.passages import RetrievedPassage
from indexer.store import PassageStore
from indexer.vectors import VectorIndex

Mode = Literal["hybrid", "dense", "lexical"]
MODES: tuple[str, ...] = get_args(Mode)
LEXICAL_WEIGHT = 0.75
"""What full coverage of the question's words adds to a cosine; chosen on held-out questions (docs/architecture.md)."""
# How many of the best by vector, and of the best by words, are weighed together, in multiples of the wanted ones.
_CANDIDATES, _FEWEST_CANDIDATES = 4, 100
Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class HybridRetriever:
    """Finds passages by the cosine of their vectors with the question's, and by the words that they share with it."""

    def __init__(
        self,
        opened: PassageStore,
        vectors: VectorIndex,
        lexical: LexicalIndex,
        commit: int,
        embedder: Callable[[], Embedder],
    ) -> None:
        self._store = opened
        self._vectors = vectors
        self._lexical = lexical
        self._commit = commit
        self._embedder = embedder

    def retrieve(
        self, question: str, top_k: int = 20, mode: Mode = "hybrid", only: PassageFilter | None = None
    ) -> list[RetrievedPassage]:
        """Return the best ``top_k`` passages for one question, best first."""
        return self.retrieve_batch([question], top_k, mode, only)[0]

    def retrieve_batch(
        self, questions: Sequence[str], top_k: int = 20, mode: Mode = "hybrid", only: PassageFilter | None = None
    ) -> list[list[RetrievedPassage]]:
        """Return for each question its best ``top_k`` passages (fewer in a small index), best first, ties by age.

        ``mode`` says what the score is: the cosine ("dense"), the share of the question's words that the passage covers
        ("lexical": only passages that share one, and no embedder is needed), or the cosine plus ``LEXICAL_WEIGHT``
        times the share ("hybrid"). What ``only`` leaves out is not found. No questions give an empty list; ``top_k``
        below 1 or an unknown mode is a UsageError.
        """
        if top_k < 1:
            raise UsageError(f"cannot retrieve {top_k} passages: ask for at least 1")
        if mode not in MODES:
            raise UsageError(f"cannot retrieve by {mode!r}: choose one of {', '.join(MODES)}")
        if not questions:
            return []
        languages = [detect_language(question) for question in questions]
        among = self._among(only) if only else None
        if mode == "lexical":
            found = [self._by_words(*asked, top_k, among) for asked in zip(questions, languages, strict=True)]
        else:
            found = self._by_vectors(questions, languages, top_k, among, hybrid=mode == "hybrid")
        passages = self._store.passages((key for hits in found for key in hits.keys.tolist()), self._commit)
        return [hits.ranked(passages) for hits in found]

    def _by_words(self, question: str, language: str | None, top_k: int, among: Keys | None) -> _Scored:
        coverage = self._coverage(question, language, among)
        rows = _best(coverage, top_k)
        return _Scored(self._lexical.keys[rows], coverage[rows], None, coverage[rows])

    def _by_vectors(
        self,
        questions: Sequence[str],
        languages: Sequence[str | None],
        top_k: int,
        among: Keys | None,
        *,
        hybrid: bool,
    ) -> list[_Scored]:
        vectors = question_means.encode_questions(self._embedder(), questions, languages)
        wide = max(_CANDIDATES * top_k, _FEWEST_CANDIDATES)
        found = self._vectors.search(vectors, wide if hybrid else top_k, among)
        if not hybrid:
            return [_Scored(hits.keys, hits.scores, hits.scores, None) for hits in found]
        return [
            self._fused(vector, hits.keys, self._coverage(question, language, among), wide).best(top_k)
            for vector, hits, question, language in zip(vectors, found, questions, languages, strict=True)
        ]

    def _coverage(self, question: str, language: str | None, among: Keys | None) -> Floats:
        coverage = self._lexical.coverage(question, language)
        if among is None:
            return coverage
        places = np.searchsorted(self._lexical.keys, among)
        let = np.zeros_like(coverage)
        let[places] = coverage[places]
        return let

    def _among(self, only: PassageFilter) -> Keys:
        keys = self._store.passage_keys(only, self._commit)
        if not np.isin(keys, self._lexical.keys).all():
            raise DamagedIndex(
                f"{self._store.path} has other living passages than the index was derived from: restore both from one "
                "copy, or run `spanglot index` again"
            )
        return keys

    def _fused(self, vector: Floats, dense_keys: Keys, coverage: Floats, wide: int) -> _Scored:
        keys = np.union1d(dense_keys, self._lexical.keys[_best(coverage, wide)])
        dense = self._vectors.scores(vector, keys)
        lexical = coverage[np.searchsorted(self._lexical.keys, keys)]
        return _Scored(keys, dense + np.float32(LEXICAL_WEIGHT) * lexical, dense, lexical)


class _Scored:
    """Passage keys (n,), their scores (n,), and the parts of these."""

    def __init__(self, keys: Keys, scores: Floats, dense: Floats | None, lexical: Floats | None) -> None:
        self.keys = keys
        self._scores = scores
        self._dense = dense
        self._lexical = lexical

    def best(self, count: int) -> _Scored:
        """Return the best ``count``, best first, equal scores by key."""
        order = np.lexsort((self.keys, -self._scores))[:count]
        parts = (None if part is None else part[order] for part in (self._dense, self._lexical))
        return _Scored(self.keys[order], self._scores[order], *parts)

    def ranked(self, passages: dict[int, Passage]) -> list[RetrievedPassage]:
        """Return the passages with their places in the ranking."""
        nothing = [None] * len(self.keys)
        columns = (
            self.keys.tolist(),
            self._scores.tolist(),
            nothing if self._dense is None else self._dense.tolist(),
            nothing if self._lexical is None else self._lexical.tolist(),
        )
        return [
            RetrievedPassage(passage=passages[key], score=score, rank=rank, dense_score=dense, lexical_score=lexical)
            for rank, (key, score, dense, lexical) in enumerate(zip(*columns, strict=True), 1)
        ]


def _best(scores: Floats, count: int) -> Keys:
    """Return the places of the best ``count`` scores above 0, best first, equal ones by place."""
    places = np.flatnonzero(scores > 0)
    if len(places) > count:
        least = np.partition(scores[places], len(places) - count)[len(places) - count]
        places = places[scores[places] >= least]
    return places[np.lexsort((places, -scores[places]))][:count]
