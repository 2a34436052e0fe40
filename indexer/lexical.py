"""Lexical search: how much of a question's words stands in each passage.

It is BM25 (Robertson and Zaragoza, 2009; k1 = 1.2, b = 0.75), changed in two ways for a corpus of many languages:

* A word is as rare as it is among the passages *in the question's language*, not among all. Otherwise the commonest
  words of a language that few passages are written in count as rare, and draw questions to that language's passages.
* A score is divided by the score that a passage of endless repetition of all the question's words would have. This
  *coverage* lies between 0 and 1, so it compares between questions and can be added to a cosine.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from indexer import errors
from indexer.terms import RECIPE as TERMS_RECIPE
from indexer.terms import terms

Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
RECIPE = f"BM25 over {TERMS_RECIPE}, by language"
_K1, _B = 1.2, 0.75
# With fewer passages of the question's language than this, nothing can be told of how rare its words are.
_FEWEST = 3
_MOST_COUNT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Passage keys (n,) int64, growing, with the n texts to search and their n languages (BCP 47)."""

    keys: Keys
    texts: Sequence[str]
    languages: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class LexicalIndex:
    """Which terms stand in which passages, as flat arrays; row i is the passage ``keys[i]``.

    The passages of term j, known by its hash ``terms[j]``, are ``rows[starts[j]:starts[j + 1]]``, growing, and
    ``counts`` says how often it stands in each, 255 for that and more. ``lengths`` are numbers of terms, and
    ``languages[language_of[i]]`` the primary language of row i.
    """

    keys: Keys
    lengths: npt.NDArray[np.int32]
    languages: npt.NDArray[np.str_]
    language_of: npt.NDArray[np.int16]
    terms: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint8]

    @classmethod
    def build(cls, blocks: Iterable[TextBlock], former: LexicalIndex | None = None) -> LexicalIndex:
        """Index all blocks; of the passages that ``former`` has too, its terms are taken and the text is not looked at.

        No blocks give an index that finds nothing.
        """
        return _Building(former).build(blocks)

    @classmethod
    def from_bytes(cls, data: bytes, keys: Keys | None = None) -> LexicalIndex:
        """Read what ``to_bytes`` gave; the caller has checked its hash.

        Raise DamagedIndex if it is none, or not of the passages ``keys`` where they are given.
        """
        buffer = io.BytesIO(data)
        try:
            index = cls(**{field.name: np.load(buffer, allow_pickle=False) for field in fields(cls)})
        except (ValueError, EOFError) as error:
            raise errors.DamagedIndex(f"it holds no lexical index: {error}") from error
        if keys is not None and not np.array_equal(index.keys, keys):
            raise errors.DamagedIndex("it is of other passages than the vectors")
        return index

    def to_bytes(self) -> bytes:
        """Return the arrays in NumPy's format, one behind the other."""
        buffer = io.BytesIO()
        for field in fields(self):
            np.save(buffer, getattr(self, field.name), allow_pickle=False)
        return buffer.getvalue()

    def coverage(self, question: str, language: str | None) -> Floats:
        """Return for every row, (n,), the share of the question's words that it covers, weighed by their rarity.

        ``language`` is the question's. Where no passage is in it, rarity is counted among all passages.
        """
        scores = np.zeros(len(self.keys), np.float32)
        among = self._passages_in(language)
        most = 0.0
        for term in set(terms(question)):
            place = self._place(term)
            rows, counts = self._postings(place) if place is not None else (self.rows[:0], self.counts[:0])
            weight = np.float32(np.log1p((max(among - len(rows), 0) + 0.5) / (len(rows) + 0.5)))
            most += float(weight) * (_K1 + 1)
            if len(rows):
                scores[rows] += weight * (_K1 + 1) * counts / (counts + self._norms[rows])
        return scores / np.float32(most) if most else scores

    @cached_property
    def _norms(self) -> Floats:
        lengths = self.lengths.astype(np.float32)
        norms: Floats = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0)) if len(lengths) else lengths
        return norms

    @cached_property
    def _by_language(self) -> dict[str, int]:
        counts = np.bincount(self.language_of, minlength=len(self.languages))
        return dict(zip(self.languages.tolist(), counts.tolist(), strict=True))

    def _passages_in(self, language: str | None) -> int:
        among = self._by_language.get(_primary(language), 0) if language is not None else 0
        return min(max(among, _FEWEST), len(self.keys)) if among else len(self.keys)

    def _place(self, term: str) -> int | None:
        wanted = np.uint64(_hash(term))
        place = int(np.searchsorted(self.terms, wanted))
        return place if place < len(self.terms) and self.terms[place] == wanted else None

    def _postings(self, place: int) -> tuple[npt.NDArray[np.int32], Floats]:
        chosen = slice(*self.starts[place : place + 2].tolist())
        return self.rows[chosen], self.counts[chosen].astype(np.float32)


class _Building:
    """Gathers (term, row, count) of every passage, and sorts them by term in the end."""

    def __init__(self, former: LexicalIndex | None) -> None:
        self._former = former
        self._hashes: dict[str, int] = {}
        self._keys: list[int] = []
        self._lengths: list[int] = []
        self._languages: list[str] = []
        self._terms: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        self._rows: list[npt.NDArray[np.int32]] = [np.empty(0, np.int32)]
        self._counts: list[npt.NDArray[np.uint8]] = [np.empty(0, np.uint8)]

    def build(self, blocks: Iterable[TextBlock]) -> LexicalIndex:
        kept: dict[int, int] = {}
        if self._former is not None:
            kept = {key: row for row, key in enumerate(self._former.keys.tolist())}
        moved = np.full(len(kept), -1, np.int32)
        for block in blocks:
            for key, text, language in zip(block.keys.tolist(), block.texts, block.languages, strict=True):
                former_row = kept.get(key)
                if self._former is not None and former_row is not None:
                    moved[former_row] = len(self._keys)
                    self._lengths.append(int(self._former.lengths[former_row]))
                else:
                    self._lengths.append(self._add(text))
                self._keys.append(key)
                self._languages.append(_primary(language))
        if self._former is not None:
            self._move(self._former, moved)
        return self._sorted()

    def _add(self, text: str) -> int:
        found = Counter(terms(text))
        self._terms.append(np.fromiter(map(self._hash, found), np.uint64, len(found)))
        self._rows.append(np.full(len(found), len(self._keys), np.int32))
        self._counts.append(np.minimum(np.fromiter(found.values(), np.int64, len(found)), _MOST_COUNT).astype(np.uint8))
        return found.total()

    def _hash(self, term: str) -> int:
        known = self._hashes.get(term)
        if known is None:
            known = self._hashes[term] = _hash(term)
        return known

    def _move(self, former: LexicalIndex, moved: npt.NDArray[np.int32]) -> None:
        rows = moved[former.rows]
        alive = rows >= 0
        self._terms.append(np.repeat(former.terms, np.diff(former.starts))[alive])
        self._rows.append(rows[alive])
        self._counts.append(former.counts[alive])

    def _sorted(self) -> LexicalIndex:
        every_term, rows = np.concatenate(self._terms), np.concatenate(self._rows)
        counts = np.concatenate(self._counts)
        order = np.lexsort((rows, every_term))
        distinct, first = np.unique(every_term[order], return_index=True)
        languages, language_of = np.unique(np.array(self._languages, np.str_), return_inverse=True)
        return LexicalIndex(
            keys=np.array(self._keys, np.int64),
            lengths=np.array(self._lengths, np.int32),
            languages=languages,
            language_of=language_of.astype(np.int16),
            terms=distinct,
            starts=np.append(first, len(order)).astype(np.int64),
            rows=rows[order],
            counts=counts[order],
        )


def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")


def _primary(language: str) -> str:
    return language.partition("-")[0].casefold()
