"""The founding recipe's data: a parallel set, every question of every language on the paragraph in every language.

XQuAD's files ``xquad.LANG.json`` are split by article into training, dev and test files, and each part is enlarged by
pairing the languages. ``reader/recipes/founding.toml`` trains on them::

    python -m reader.founding xquad --into founding
    spanglot train --data founding --recipe reader/recipes/founding.toml --into founding-reader
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from corpora.errors import SpanglotError
from reader.errors import ReaderError
from reader.questions import GoldQuestion, group_by_article, read_questions

SIZES = {"train": 50_000, "dev": 8_000, "test": 8_000}
"""How many rows of each part are written, as far as there are so many."""
_HELD_OUT_SHARE = 0.1  # of the questions, each for dev and for test
_SEED = 3

Parallel = Mapping[str, Mapping[str, GoldQuestion]]
"""The versions of each question by its id, then by language; the languages are the same for every id."""


def file_name(part: str) -> str:
    """Return the name of a part's file; it says that a reader trained on it has seen XQuAD."""
    return f"xquad-founding.mul.{part}.jsonl.gz"


def read_parallel(folder: Path) -> Parallel:
    """Read ``xquad.LANG.json`` below ``folder``, only the answerable questions that all of the languages have.

    Raise ReaderError for fewer than two languages and for files without a common question.
    """
    versions: dict[str, dict[str, GoldQuestion]] = {}
    for file in sorted(folder.glob("xquad.*.json")):
        for question in read_questions(file):
            if question.answers:
                versions.setdefault(question.id, {})[str(question.language)] = question
    languages = {language for version in versions.values() for language in version}
    if len(languages) < 2:
        raise ReaderError(f"{folder}: {len(languages)} languages in files xquad.LANG.json; give a folder with two")
    parallel = {key: version for key, version in versions.items() if version.keys() == languages}
    if not parallel:
        raise ReaderError(
            f"{folder}: no question's id stands in all of {', '.join(sorted(languages))}; give translations of one set"
        )
    return parallel


def split_parallel(parallel: Parallel, *, seed: int = _SEED) -> dict[str, list[str]]:
    """Return the ids of the questions of each part: whole articles, a tenth of the questions each for dev and test.

    Articles go by the titles and paragraphs of one language, and so hold for all. Raise ReaderError for fewer than
    three articles.
    """
    pool = [version[min(version)] for version in parallel.values()]
    articles = group_by_article(pool, seed)
    if len(articles) < len(SIZES):
        raise ReaderError(f"{len(articles)} articles cannot be split into {', '.join(SIZES)}; give a set with three")
    parts: dict[str, list[str]] = {part: [] for part in SIZES}
    for article in articles:
        empty = [part for part in parts if not parts[part]]
        short = [part for part in ("dev", "test") if len(parts[part]) < _HELD_OUT_SHARE * len(pool)]
        parts[[*empty, *short, "train"][0]] += [pool[place].id for place in article]
    return parts


def paired_rows(parallel: Parallel, ids: Sequence[str], size: int, *, seed: int = _SEED) -> Iterator[dict[str, object]]:
    """Yield ``size`` rows in the format of ``reader.questions``, or all that there are, those of a paragraph together.

    The numbers of rows of any two pairs of languages differ by one at most; which questions a pair has is drawn.
    """
    languages = sorted(parallel[ids[0]])
    pairs = list(product(languages, repeat=2))
    drawn = random.Random(seed)
    each, left = divmod(min(size, len(ids) * len(pairs)), len(pairs))
    with_one_more = set(drawn.sample(pairs, left))
    chosen = {pair: set(drawn.sample(ids, each + (pair in with_one_more))) for pair in pairs}
    for shown, key, asked in product(languages, ids, languages):
        if key in chosen[asked, shown]:
            yield _row(parallel[key][asked], parallel[key][shown])


def write_parts(parallel: Parallel, folder: Path, sizes: Mapping[str, int], *, seed: int = _SEED) -> dict[str, int]:
    """Write the files of all parts into ``folder`` and return how many rows each has; the same for the same input."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = split_parallel(parallel, seed=seed)
    return {
        part: _write(folder / file_name(part), paired_rows(parallel, ids, sizes[part], seed=seed))
        for part, ids in parts.items()
    }


def _row(asked: GoldQuestion, shown: GoldQuestion) -> dict[str, object]:
    return {
        "id": f"{shown.id}-{asked.language}-{shown.language}",
        "lang": shown.language,
        "question_lang": asked.language,
        # Training takes a window that does not answer from the same title: it must not be the paragraph's translation.
        "title": f"{shown.title} [{shown.language}]".strip(),
        "context": shown.context,
        "question": asked.question,
        "answers": [{"text": answer.text, "answer_start": answer.start} for answer in shown.answers],
    }


def _write(path: Path, rows: Iterable[dict[str, object]]) -> int:
    count = 0
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        for row in rows:
            packed.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
            count += 1
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the parts of the set that is named on the command line."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m reader.founding", description="Pair the languages of XQuAD.")
    parser.add_argument("folder", type=Path, metavar="XQUAD_FOLDER", help="The folder with xquad.LANG.json.")
    parser.add_argument("--into", required=True, type=Path, metavar="FOLDER")
    for part, size in SIZES.items():
        parser.add_argument(f"--{part}", type=int, default=size, metavar="ROWS", help=f"{size:,} where left out.")
    given = parser.parse_args(arguments)
    sizes = {part: getattr(given, part) for part in SIZES}
    for part, size in sizes.items():
        if size < 1:
            parser.error(f"--{part} is {size}; give a number of rows from 1")
    try:
        written = write_parts(read_parallel(given.folder), given.into, sizes)
    except (SpanglotError, OSError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    print(", ".join(f"{file_name(part)}: {rows:,} rows" for part, rows in written.items()))


if __name__ == "__main__":
    main()
