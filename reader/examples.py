"""From questions to training windows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reader.code_switching import CodeSwitcher, read_lexicon
from reader.errors import ReaderError
from reader.negatives import Nearest, retrieved_negatives
from reader.questions import GoldQuestion, read_questions, split_by_article
from reader.recipe import Recipe, Source

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

CLS, SEP = 0, 2
_LEXICON = Path(__file__).parent / "recipes" / "lexicon.tsv"
_SHARES = (0.85, 0.6)  # of the words that are replaced in a question, and in a passage


@dataclass(frozen=True, slots=True)
class TrainingWindow:
    """One window: its token ids, where the passage begins, and the answer's tokens (first and last, inclusive).

    A window that does not answer has ``start == end == 0``, the CLS token.
    """

    ids: npt.NDArray[np.int32]
    passage_start: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Split:
    """Questions to train on by source, in the recipe's order, and the held-out ones.

    Those are in pools, by language; a file that is held out whole is a pool of its own, under its name up to a dot.
    """

    train: list[list[GoldQuestion]]
    dev: dict[str, list[GoldQuestion]]


def split_sources(recipe: Recipe, data: Path, progress: Callable[[str], None] = lambda text: None) -> Split:
    """Read the recipe's files and hold out its dev questions by article, for each language together.

    The files are looked for in ``data``, and then among those that came with the recipes.
    """
    by_language: dict[str, list[tuple[int, GoldQuestion]]] = defaultdict(list)
    train: list[list[GoldQuestion]] = [[] for _ in recipe.sources]
    for number, source in enumerate(recipe.sources):
        progress(f"reading {source.file}")
        for question in read_questions(_find(data, source.file)):
            if source.held_out:
                by_language[str(question.language)].append((number, question))
            else:
                train[number].append(question)
    dev: dict[str, list[GoldQuestion]] = {}
    for language, numbered in by_language.items():
        owner = {id(question): number for number, question in numbered}
        rules = recipe.held_out
        kept, dev[language] = split_by_article(
            [question for _, question in numbered],
            dev_fraction=1.0 if language == "en" else rules.other_fraction,
            max_dev=rules.english if language == "en" else rules.other_most,
            max_per_article=rules.per_article,
        )
        for question in kept:
            train[owner[id(question)]].append(question)
    for name, file in recipe.held_out.pools.items():
        progress(f"reading {file}")
        dev[name] = list(read_questions(_find(data, file)))
    return Split(train, dev)


def _find(data: Path, file: str) -> Path:
    """Return where a recipe's file is: in the user's folder, else beside our recipes."""
    ours = Path(__file__).parent / "recipes" / file
    return ours if ours.is_file() and not (data / file).exists() else data / file


class WindowMaker:
    """Make training windows from questions, with the recipe's lengths, titles and negatives.

    ``nearest`` finds the passages of retrieved negatives; a recipe that asks for them without it is a ReaderError.
    """

    def __init__(self, tokenizer: Tokenizer, recipe: Recipe, nearest: Nearest | None = None) -> None:
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._nearest = nearest
        self._wrong: dict[int, str] = {}

    def windows(self, train: Sequence[Sequence[GoldQuestion]], progress: Callable[[str], None]) -> list[TrainingWindow]:
        """Return all windows of the run in the order in which they are to be seen; the same for the same recipe."""
        drawn = random.Random(self._recipe.seed)
        chosen = [_drawn(*pair, drawn) for pair in zip(self._recipe.sources, train, strict=True)]
        if self._recipe.retrieved_negatives:
            progress("finding passages that do not answer")
            self._wrong = self._find_wrong([question for questions in chosen for question in questions])
        windows: list[TrainingWindow] = []
        for source, questions, pool in zip(self._recipe.sources, chosen, train, strict=True):
            progress(f"making windows of {source.file}")
            windows += self._source_windows(source, questions, pool, drawn)
        drawn.shuffle(windows)
        return windows

    def _find_wrong(self, questions: Sequence[GoldQuestion]) -> dict[int, str]:
        if self._nearest is None:
            raise ReaderError("the recipe asks for retrieved_negatives: train with `spanglot train`, or leave it out")
        drawn = random.Random(self._recipe.seed)
        return retrieved_negatives(questions, self._recipe.retrieved_negatives, self._nearest, drawn)

    def _source_windows(
        self, source: Source, chosen: Sequence[GoldQuestion], pool: Sequence[GoldQuestion], drawn: random.Random
    ) -> Iterable[TrainingWindow]:
        articles: dict[str, list[str]] = defaultdict(list)
        for context, title in {question.context: question.title for question in pool}.items():
            articles[title].append(context)
        switcher = read_lexicon(_LEXICON) if source.switched else None
        encodings = _Encodings(self._tokenizer)
        encodings.add(question.context for question in chosen)
        for _ in range(source.repeat):
            for question in chosen:
                wrong = self._wrong.get(id(question))
                if wrong is not None:
                    asked = replace(question, context=wrong, answers=())
                elif switcher is not None and drawn.random() < source.switched:
                    asked = switched(question, switcher, drawn)
                else:
                    asked = question
                window = self._window(asked, articles[question.title], encodings, drawn)
                if window is not None:
                    yield window

    def _window(
        self, question: GoldQuestion, neighbours: Sequence[str], encodings: _Encodings, drawn: random.Random
    ) -> TrainingWindow | None:
        context, answer = question.context, (question.answers[0] if question.answers else None)
        if answer is not None and drawn.random() < self._recipe.negatives:
            others = [text for text in neighbours if text != context and answer.text not in text]
            if others:
                context, answer = drawn.choice(others), None
        encoding = encodings.get(context)
        span = None if answer is None else tokens_of_span(encoding.offsets, answer.start, answer.end)
        if answer is not None and span is None:
            return None
        head = self._head(question, drawn)
        room = drawn.choices(self._recipe.lengths, self._recipe.length_weights)[0] - len(head) - 1
        if span is not None and span[1] - span[0] >= room:
            return None
        first, last = _crop(len(encoding.ids), room, span, drawn)
        ids = np.array([*head, *encoding.ids[first:last], SEP], dtype=np.int32)
        shift = len(head) - first
        start, end = (CLS, CLS) if span is None else (span[0] + shift, span[1] + shift)
        return TrainingWindow(ids, len(head), start, end)

    def _head(self, question: GoldQuestion, drawn: random.Random) -> list[int]:
        tokens = self._tokenizer.encode(question.question, add_special_tokens=False).ids
        head = [CLS, *tokens[: self._recipe.question_tokens], SEP, SEP]
        if question.title and drawn.random() < self._recipe.titles:
            title = question.title.replace("_", " ")
            head += [*self._tokenizer.encode(title, add_special_tokens=False).ids[:24], SEP]
        return head


def _drawn(source: Source, questions: Sequence[GoldQuestion], drawn: random.Random) -> list[GoldQuestion]:
    if not questions:
        raise ReaderError(f"{source.file}: no question is left to train on; leave the source out of the recipe")
    most = len(questions) if source.questions is None else source.questions
    return drawn.sample(questions, min(len(questions), most))


def switched(question: GoldQuestion, switcher: CodeSwitcher, drawn: random.Random) -> GoldQuestion:
    """Put the question's words, or the passage's and perhaps the question's too, into languages drawn for them.

    The answer's words are replaced with the passage's, and its place follows them.
    """
    language = drawn.choice(switcher.languages)
    asked = switcher.switch(question.question, language, _SHARES[0], drawn)
    if drawn.random() < 0.5:
        return replace(question, question=asked)
    if not question.answers:
        context = switcher.switch(question.context, language, _SHARES[1], drawn)
        return replace(question, context=context)
    answer, context = question.answers[0], question.context
    parts = (context[: answer.start], answer.text, context[answer.end :])
    before, words, after = (switcher.switch(part, language, _SHARES[1], drawn) for part in parts)
    words = words.strip()
    if not words:
        return replace(question, question=asked)
    return replace(
        question,
        question=asked if drawn.random() < 0.5 else question.question,
        context=before + words + after,
        answers=(replace(answer, text=words, start=len(before)),),
    )


def tokens_of_span(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token (inclusive) that touch the characters [start, end), or None if none does."""
    touching = [i for i, (left, right) in enumerate(offsets) if left < end and right > start]
    return (touching[0], touching[-1]) if touching else None


def _crop(length: int, room: int, span: tuple[int, int] | None, drawn: random.Random) -> tuple[int, int]:
    """Choose which ``room`` tokens of a passage to show: half-open, with the whole span inside where it fits."""
    if length <= room:
        return 0, length
    low, high = 0, length - room
    if span is not None:
        low, high = max(0, min(high, span[1] + 1 - room)), min(high, span[0])
    first = drawn.randint(min(low, high), max(low, high))
    return first, first + room


class _Encodings:
    """Contexts tokenised once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, Encoding] = {}

    def add(self, texts: Iterable[str]) -> None:
        fresh = list(dict.fromkeys(text for text in texts if text not in self._known))
        encoded = self._tokenizer.encode_batch(fresh, add_special_tokens=False)
        self._known.update(zip(fresh, encoded, strict=True))

    def get(self, text: str) -> Encoding:
        if text not in self._known:
            self.add([text])
        return self._known[text]
