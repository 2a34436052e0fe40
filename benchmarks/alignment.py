"""``python -m benchmarks.alignment XQUAD.json...``: do answers survive XLM's tokenizer, from text to pieces and back?

XLMTokenizer gives no offsets; ``reader.alignment`` finds them. An answer survives where the characters of the pieces
that touch it are the answer again. Where no piece begins or ends at its borders, no alignment can give it back: those
are counted apart. The vocabulary is the small one of the tests, learned from our own sentences.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reader.alignment import XlmPieces, load_xlm_tokenizer
from reader.decoding import TokenSpan, to_characters
from reader.examples import tokens_of_span
from reader.questions import GoldQuestion, read_questions
from reader.windows import Pieces
from tests.reader.conftest import write_vocabulary


@dataclass(slots=True)
class Counts:
    """How many answers there were, survived, could not be told by any borders of pieces, and were lost."""

    answers: int = 0
    survived: int = 0
    inside_a_piece: int = 0
    lost: int = 0


def main() -> None:
    """Print the counts by language as JSON; exit with 1 where an answer was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alignment", description="Answers through XLM's pieces.")
    parser.add_argument("files", nargs="+", type=Path, metavar="XQUAD.json")
    with tempfile.TemporaryDirectory() as scratch:
        write_vocabulary(Path(scratch), lower=False)
        pieces = XlmPieces(load_xlm_tokenizer(Path(scratch)))
        counted = {path.name: count(pieces, read_questions(path)) for path in parser.parse_args().files}
    print(json.dumps({name: asdict(counts) for name, counts in counted.items()}, indent=2))
    if any(counts.lost for counts in counted.values()):
        raise SystemExit(1)


def count(encoder: XlmPieces, questions: Iterable[GoldQuestion]) -> Counts:
    """Send every answer of the questions through the pieces of its context."""
    counts = Counts()
    known: dict[str, Pieces] = {}
    for question in questions:
        if question.context not in known:
            (known[question.context],) = encoder.encode_passages([question.context])
        for answer in question.answers:
            counts.answers += 1
            offsets = known[question.context].offsets
            if round_trip(question.context, offsets, answer.start, answer.end) == (answer.start, answer.end):
                counts.survived += 1
            elif answer.start not in {first for first, _ in offsets} or answer.end not in {last for _, last in offsets}:
                counts.inside_a_piece += 1
            else:
                counts.lost += 1
    return counts


def round_trip(text: str, offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the place that the pieces touching the characters [start, end) give back, or None if none touches."""
    touching = tokens_of_span(offsets, start, end)
    if touching is None:
        return None
    place = to_characters(TokenSpan(score=0.0, first=touching[0], last=touching[1]), text, offsets, 0, 0)
    return None if place is None else (place.start, place.end)


if __name__ == "__main__":
    main()
