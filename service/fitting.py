"""The last step of training: hold the new reader against held-out questions and keep what it learns of its scores."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reader.errors import ReaderError
from service import opening
from service.calibrating import Asked, CalibrationReport, ask_held_out, calibrate
from service.retrieval_evaluation import context_documents

if TYPE_CHECKING:
    from corpora.documents import Document
    from reader.questions import GoldQuestion

ENGLISH, OTHERS = 150, 20
"""How many held-out questions of English (and of a file held out whole), and of every other language, are asked."""
PARAGRAPHS_OF = 150
"""The paragraphs of so many held-out questions of each language are indexed."""
SIZES = (75, 300)
"""How many documents the smaller indexes hold."""


def fit_reader(
    directory: Path,
    recipe_path: Path,
    data: Path,
    *,
    device: str = "auto",
    most: int | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CalibrationReport:
    """Fit the calibration of the reader in ``directory`` on the recipe's held-out questions, and save it there.

    Held-out paragraphs of all languages, theirs among them, are dealt to indexes of different sizes, and every question
    is asked of the one that holds its paragraph: a score must mean the same in a small corpus as in a large one.
    ``most`` is how many questions of every language (and file held out whole) are asked; where it is None, few are, as
    after training.
    """
    from indexer import Index, build_index, load_embedder
    from reader import load_reader
    from reader.checkpoint import write_settings
    from reader.examples import split_sources
    from reader.recipe import read_recipe

    recipe = read_recipe(recipe_path)
    reader = load_reader(directory, device=device)
    dev = {name: _answerable(pool) for name, pool in split_sources(recipe, data).dev.items()}
    few = {name: ENGLISH if name == "en" or name in recipe.held_out.pools else OTHERS for name in dev}
    questions = [question for name in sorted(dev) for question in dev[name][: few[name] if most is None else most]]
    if not questions:
        raise ReaderError(f"{recipe_path}: no answerable question is held out to calibrate on: raise [held_out]")
    documents = context_documents(
        question for pool in dev.values() for question in pool[: max(PARAGRAPHS_OF, most or 0)]
    )
    ids = {document.text: document.id for document in documents}
    say(f"asking {len(questions):,} held-out questions of {len(documents):,} held-out paragraphs")
    embedder = load_embedder(device=device)
    asked: list[Asked] = []
    for held in deal(documents):
        here = {document.id for document in held}
        chosen = [question for question in questions if ids[question.context] in here]
        with tempfile.TemporaryDirectory() as scratch:
            build_index(scratch, held, embedder=embedder, splitter=opening.make_splitter())
            with Index.open(scratch, embedder=embedder) as index:
                asked += ask_held_out(
                    reader,
                    index.retriever,
                    chosen,
                    [ids[question.context] for question in chosen],
                    progress=_going_on(progress, len(asked), len(questions)),
                )
    report = calibrate(asked)
    write_settings(directory, replace(reader.settings, calibration=report.calibration))
    return report


def deal(documents: Sequence[Document], sizes: Sequence[int] = SIZES) -> list[list[Document]]:
    """Shuffle and deal the documents: equal shares to indexes of each of the ``sizes``, and to one that takes the rest.

    A share that does not fill an index of its size makes one smaller one.
    """
    shuffled = random.Random(1).sample(documents, len(documents))
    share = len(shuffled) // (len(sizes) + 1)
    dealt: list[list[Document]] = []
    for number, size in enumerate(sizes):
        part = shuffled[number * share : (number + 1) * share]
        dealt += [part[start : start + size] for start in range(0, len(part), size)]
    return [*dealt, shuffled[len(sizes) * share :]]


def _going_on(progress: Callable[[int, int], None], before: int, total: int) -> Callable[[int, int], None]:
    return lambda done, _: progress(before + done, total)


def _answerable(questions: Sequence[GoldQuestion]) -> list[GoldQuestion]:
    """Return the answerable questions in an order that mixes articles, always the same."""
    kept = [question for question in questions if question.answers]
    return sorted(kept, key=lambda question: hashlib.sha256(f"{question.id} {question.question}".encode()).digest())
