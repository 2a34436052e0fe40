"""Take the language out of passage vectors, so that passages in other languages than the question's are found too.

Multilingual encoders give each language a region of its own, and prefer passages in the question's language to better
ones in others. A language's mean vector is most of that preference: without it, what is left is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from indexer.store import VectorBlock

Sums = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
RECIPE = "passage vectors less the mean of their language's passages"
# How many passages of the wider group (all languages; nothing at all) a mean counts in: few passages say little of
# their language, and a single one must not be taken away from itself.
_PRIOR = 4.0


@dataclass(frozen=True, slots=True)
class LanguageMeans:
    """The mean passage vector of each language, shrunk towards the mean of all passages, which is shrunk towards 0."""

    of_language: dict[str, Sums]

    def centered(self, blocks: Iterable[VectorBlock]) -> Iterator[VectorBlock]:
        """Yield the blocks with each vector less its language's mean, at unit length again."""
        for block in blocks:
            means = np.stack([self.of_language[language] for language in block.languages])
            yield replace(block, vectors=less(block.vectors, means))


def less(vectors: Vectors, means: npt.NDArray[np.floating]) -> Vectors:
    """Subtract row from row, both (n, dimension), and bring the rest to unit length again."""
    rest = vectors.astype(np.float64) - means
    lengths = np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-12)
    centered: Vectors = (rest / lengths).astype(np.float32)
    return centered


def language_means(blocks: Iterable[VectorBlock]) -> LanguageMeans:
    """Compute the means over all blocks; no blocks give no means."""
    sums: dict[str, Sums] = {}
    counts: dict[str, int] = {}
    for block in blocks:
        for language in sorted(set(block.languages)):
            chosen = np.array([other == language for other in block.languages])
            total = block.vectors[chosen].sum(axis=0, dtype=np.float64)
            sums[language] = sums[language] + total if language in sums else total
            counts[language] = counts.get(language, 0) + int(chosen.sum())
    if not sums:
        return LanguageMeans({})
    overall = sum(sums.values()) / (sum(counts.values()) + _PRIOR)
    return LanguageMeans(
        {language: (sums[language] + _PRIOR * overall) / (counts[language] + _PRIOR) for language in sums}
    )
