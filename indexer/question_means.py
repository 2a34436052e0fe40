"""Take the language out of question vectors, as ``indexer.centering`` takes it out of those of passages.

The means come with Spanglot, for the base encoder only; they were computed from the questions written for training::

    python -m indexer.question_means reader/recipes/written.mul.train.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corpora.languages import detect_language
from encoder.base import BASE_NAME
from indexer import centering

if TYPE_CHECKING:
    from indexer.embedding import Embedder

Floats = npt.NDArray[np.float32]
STRENGTH = 0.75
"""The share of a mean that is taken away; chosen on held-out written questions (docs/architecture.md)."""

_FILE = Path(__file__).with_name("question_means.npz")
_ALL = "all"
# How many questions of all languages a language's mean counts in, and how few are too few for a mean of their own.
_PRIOR, _FEWEST = 8.0, 20


def encode_questions(embedder: Embedder, questions: Sequence[str], languages: Sequence[str | None]) -> Floats:
    """Return the vectors of questions, (n, dimension), less the mean of their language where that is known.

    A question in a language without a mean loses the mean of all questions. Rows have unit length.
    """
    vectors = embedder.encode_query(list(questions))
    if embedder.name != BASE_NAME:
        return vectors
    return without_means(vectors, languages, _shipped())


def without_means(vectors: Floats, languages: Iterable[str | None], means: Mapping[str, Floats]) -> Floats:
    """Subtract from each vector ``STRENGTH`` times its language's mean, and bring it to unit length again."""
    chosen = [means[_ALL if language is None or language not in means else language] for language in languages]
    if not chosen:
        return vectors
    return centering.less(vectors, STRENGTH * np.stack(chosen).astype(np.float64))


def means_of(vectors: Floats, languages: Iterable[str | None]) -> dict[str, Floats]:
    """Return the mean vector of each language that has enough questions, shrunk to that of all, which is ``all``."""
    overall = vectors.mean(axis=0, dtype=np.float64)
    places: dict[str, list[int]] = defaultdict(list)
    for place, language in enumerate(languages):
        if language is not None:
            places[language].append(place)
    means = {
        language: (vectors[chosen].sum(axis=0, dtype=np.float64) + _PRIOR * overall) / (len(chosen) + _PRIOR)
        for language, chosen in sorted(places.items())
        if len(chosen) >= _FEWEST
    }
    return {name: mean.astype(np.float32) for name, mean in {_ALL: overall, **means}.items()}


@cache
def _shipped() -> Mapping[str, Floats]:
    with np.load(_FILE, allow_pickle=False) as means:
        return {name: means[name] for name in means.files}


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute the means of the questions in a file of rows with a ``question``, and keep them beside this module."""
    import argparse

    from indexer.embedding import load_embedder

    parser = argparse.ArgumentParser(prog="python -m indexer.question_means", description="Question means by language.")
    parser.add_argument("file", type=Path, metavar="FILE.jsonl.gz")
    with gzip.open(parser.parse_args(arguments).file, "rt", encoding="utf-8") as lines:
        questions = [str(json.loads(line)["question"]) for line in lines]
    means = means_of(load_embedder().encode_query(questions), map(detect_language, questions))
    np.savez(_FILE, **means)  # type: ignore[arg-type]
    print(f"{len(questions):,} questions, means of {', '.join(sorted(set(means) - {_ALL}))}: {_FILE}")


if __name__ == "__main__":
    main()
