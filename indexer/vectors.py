"""The nearest passages to a question's vector."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from indexer import errors
from indexer.store import VectorBlock

if TYPE_CHECKING:
    import faiss

Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
# FAISS orders equal scores as it pleases, and rounds by batch shape: so a few more are fetched and ordered here.
_MARGIN = 8
_ROUNDING = 1e-5
_MOST_EXTRA = 1024
_limits_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorHits:
    """What one vector found: passage keys (n,) and their inner products (n,), best first, equal scores by key."""

    keys: Keys
    scores: Floats


class VectorIndex(Protocol):
    """Vector search behind one narrow door."""

    def search(self, vectors: Floats, top_k: int, among: Keys | None = None) -> list[VectorHits]:
        """Return for each row of ``vectors`` (n, dimension) its best passages, at most ``top_k`` and all real.

        With ``among``, growing keys (m,), no others are found.
        """
        ...

    def scores(self, vector: Floats, keys: Keys) -> Floats:
        """Return the inner products of one vector, (dimension,), with those of the given passages, (n,)."""
        ...


class FlatVectorIndex:
    """Exact search by inner product; a vector's score is the same alone and in a batch."""

    def __init__(self, index: faiss.IndexFlatIP, keys: Keys) -> None:
        self._index = index
        self.keys = keys

    @classmethod
    def build(cls, dimension: int, blocks: Iterable[VectorBlock]) -> FlatVectorIndex:
        """Index the vectors of all blocks; none give an index that finds nothing."""
        import faiss

        index = faiss.IndexFlatIP(dimension)
        keys = [np.empty(0, np.int64)]
        for block in blocks:
            index.add(np.ascontiguousarray(block.vectors))
            keys.append(block.keys)
        return cls(index, np.concatenate(keys))

    @classmethod
    def from_bytes(cls, data: bytes, keys: Keys, dimension: int) -> FlatVectorIndex:
        """Read what ``to_bytes`` gave; the caller has checked its hash. Raise DamagedIndex if it does not fit."""
        import faiss

        with _limits_lock:
            # FAISS keeps these for the whole process; nothing in an honest file is larger than the file.
            faiss.set_deserialization_vector_byte_limit(len(data))
            faiss.set_deserialization_loop_limit(1024)
            try:
                index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
            except RuntimeError as error:
                raise errors.DamagedIndex(f"FAISS refuses the vectors: {error}") from error
        if not isinstance(index, faiss.IndexFlatIP) or index.d != dimension or index.ntotal != len(keys):
            raise errors.DamagedIndex(f"expected {len(keys)} vectors of {dimension} dimensions, found other ones")
        return cls(index, keys)

    def to_bytes(self) -> bytes:
        """Return FAISS's own form of the index, without the keys."""
        import faiss

        return faiss.serialize_index(self._index).tobytes()

    def search(self, vectors: Floats, top_k: int, among: Keys | None = None) -> list[VectorHits]:
        """Return for each row of ``vectors`` (n, dimension) its best passages, at most ``top_k`` and all real.

        With ``among``, growing keys (m,), no others are found.
        """
        keys = self.keys if among is None else among
        wanted = min(top_k, len(keys))
        if wanted < 1:
            nothing = VectorHits(keys=np.empty(0, np.int64), scores=np.empty(0, np.float32))
            return [nothing] * len(vectors)
        queries = np.ascontiguousarray(vectors, np.float32)
        count = min(wanted + _MARGIN, len(keys))
        chosen = self._selection(among)
        scores, rows = self._index.search(queries, count, params=chosen)
        most = min(wanted + _MOST_EXTRA, len(keys))
        return [self._settled(queries[i], scores[i], rows[i], wanted, most, chosen) for i in range(len(queries))]

    def _selection(self, among: Keys | None) -> faiss.SearchParameters | None:
        import faiss

        if among is None:
            return None
        chosen = np.zeros(len(self.keys), np.bool_)
        chosen[np.searchsorted(self.keys, among)] = True
        # FAISS gives both another constructor when it is imported than its types say.
        selector = faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))  # type: ignore[call-arg,arg-type]
        return faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]

    def _settled(
        self,
        query: Floats,
        scores: Floats,
        rows: Keys,
        wanted: int,
        most: int,
        chosen: faiss.SearchParameters | None,
    ) -> VectorHits:
        while len(rows) < most and scores[-1] >= scores[wanted - 1] - _ROUNDING:
            count = min(4 * len(rows), most)
            found = self._index.search(query[None], count, params=chosen)
            scores, rows = found[0][0], found[1][0]
        return self._ordered(query, rows[rows >= 0], wanted)

    def scores(self, vector: Floats, keys: Keys) -> Floats:
        """Return the inner products of one vector, (dimension,), with those of the given passages, (n,)."""
        return self._scores(vector, np.searchsorted(self.keys, keys))

    def of(self, keys: Keys) -> Floats:
        """Return the vectors of the given passages, (n, dimension)."""
        found: Floats = self._index.reconstruct_batch(np.searchsorted(self.keys, keys))
        return found

    def _scores(self, vector: Floats, rows: Keys) -> Floats:
        candidates = self._index.reconstruct_batch(rows).astype(np.float64)
        scores: Floats = np.einsum("ij,j->i", candidates, vector.astype(np.float64)).astype(np.float32)
        return scores

    def _ordered(self, vector: Floats, rows: Keys, wanted: int) -> VectorHits:
        scores = self._scores(vector, rows)
        keys = self.keys[rows]
        order = np.lexsort((keys, -scores))[:wanted]
        return VectorHits(keys=keys[order], scores=scores[order])
