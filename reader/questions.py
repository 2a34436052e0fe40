"""Questions with their expected answers, read from files, and held out by article."""

from __future__ import annotations

import gzip
import hashlib
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from corpora.errors import CorpusError
from corpora.languages import canonical_language, detect_language
from corpora.sources import SourceFile, given_file, open_file
from corpora.squad import language_of_name, question_language_of_name
from reader.jsonfields import Fields, parse_json, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldAnswer:
    """Words that answer a question: ``context[start:start + len(text)] == text`` in code points of its context.

    ``text`` is not empty and has no white space at its ends.
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset in the context just after the last code point of the answer."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldQuestion:
    """A question with the one text that is given to answer it; no ``answers`` means that the text does not.

    ``language`` is that of the context and so of the answers, a BCP 47 code, or None if it could not be told.
    ``question_language`` is that of the question where the file says it.
    """

    id: str
    question: str
    context: str
    title: str
    language: str | None
    answers: tuple[GoldAnswer, ...]
    question_language: str | None = None


def read_questions(path: str | Path) -> Iterator[GoldQuestion]:
    """Yield the questions of one file, in its order; nothing is opened before the first one is asked for.

    ``.json`` is SQuAD's nested format (1.1, 2.0, XQuAD, MLQA), held in memory while it is read. ``.jsonl`` is one
    question a line: ``{"id", "lang", "title", "context", "question", "answers": [{"text", "answer_start"}]}``, and
    ``question_lang`` where that is another one than ``lang``.
    Either may be gzip-compressed (``.gz``). The language is the row's own ``lang``, else the code in the file name
    (``xquad.el.json``; ``context-ar`` in MLQA's names), else the one detected from the file's first context.
    The questions' own language is the row's ``question_lang``, or ``question-de`` in MLQA's names.
    ``is_impossible`` makes a question one without answers.

    White space at the ends of an answer is cut off, and an offset that is wrong by such white space alone is set right.
    Raise CorpusError for a file that cannot be read, and RowError, with file and line (or place in the JSON), for a
    row that breaks the format, an answer that does not stand where it says, and text that UTF-8 cannot encode.
    """
    file = given_file(Path(path))
    name = file.path.name.lower()
    kind = name.removesuffix(".gz").rpartition(".")[2]
    readers = {"json": _read_squad, "jsonl": _read_lines}
    if kind not in readers:
        raise CorpusError(f"{file.shown}: give questions as SQuAD-style .json or as .jsonl (either may end in .gz)")
    try:
        with open_file(file) as raw, gzip.open(raw) if name.endswith(".gz") else raw as stream:
            yield from readers[kind](stream, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(f"{file.shown}: damaged gzip data ({error}); fetch or write the file again") from error
    except FileNotFoundError as error:
        raise CorpusError(f"{file.shown}: no such file; check the path") from error
    except OSError as error:
        raise CorpusError(f"{file.shown}: cannot be read ({error.strerror}); give a readable file") from error


def split_by_article(
    questions: Iterable[GoldQuestion],
    *,
    dev_fraction: float,
    max_dev: int,
    seed: int = 0,
    max_per_article: int | None = None,
) -> tuple[list[GoldQuestion], list[GoldQuestion]]:
    """Split into (train, dev) so that no title and no context stands in both; each keeps the order of ``questions``.

    dev is filled to ``min(max_dev, dev_fraction * number of questions)`` from articles in the order of a hash of their
    titles (of the context where there is no title), so the split depends on the questions and the seed, not on their
    order. Of the last article only what still fits goes to dev, and of every one at most ``max_per_article``
    questions, chosen by hash: a smaller number spreads dev over more articles. What is left of a held-out article
    goes to neither part. Titles are compared without case, underscores and compatibility forms; articles that share a
    context count as one. A title that all questions carry, over several contexts, is a label and is ignored.
    """
    pool = list(questions)
    room = min(max_dev, int(dev_fraction * len(pool)))
    dev: set[int] = set()
    held_out: set[int] = set()
    for article in group_by_article(pool, seed):
        if len(dev) == room:
            break
        by_hash = sorted(article, key=lambda place: _rank(f"question {pool[place].id} {pool[place].question}", seed))
        dev.update(by_hash[:max_per_article][: room - len(dev)])
        held_out.update(article)
    train = [question for place, question in enumerate(pool) if place not in held_out]
    return train, [pool[place] for place in sorted(dev)]


def group_by_article(pool: Sequence[GoldQuestion], seed: int) -> list[list[int]]:
    """Group the places in ``pool`` that share a title or a context; the groups in order of their seeded hash."""
    titles = [_title_key(question.title) for question in pool]
    if len(set(titles)) == 1 and len({question.context for question in pool}) > 1:
        titles = [""] * len(pool)
    parents: dict[str, str] = {}

    def root(key: str) -> str:
        while parents.setdefault(key, key) != key:
            parents[key] = key = parents[parents[key]]
        return key

    keys = [
        f"title {title}" if title else f"context {question.context}"
        for title, question in zip(titles, pool, strict=True)
    ]
    for key, question in zip(keys, pool, strict=True):
        first, second = sorted((root(key), root(f"context {question.context}")))
        parents[first] = second
    groups: dict[str, list[int]] = {}
    ranks: dict[str, bytes] = {}
    for place, key in enumerate(keys):
        groups.setdefault(root(key), []).append(place)
        ranks[root(key)] = min(_rank(key, seed), ranks.get(root(key), b"\xff" * 32))
    return [groups[key] for key in sorted(groups, key=ranks.__getitem__)]


def _read_lines(stream: BinaryIO | gzip.GzipFile, file: SourceFile) -> Iterator[GoldQuestion]:
    language = language_of_name(file.path.name)
    context = ""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        row = Fields(parse_json(line, file.shown, number), file.shown, number)
        # Files list the questions of a context together; keep one copy of it.
        read = row.text("context")
        context = context if read == context else read
        own = _language_in(row, "lang")
        if own is None:
            own = language = detect_language(context) if language is None else language
        yield _question(row, context, row.optional_text("title"), own, _language_in(row, "question_lang"))


def _read_squad(stream: BinaryIO | gzip.GzipFile, file: SourceFile) -> Iterator[GoldQuestion]:
    whole = Fields(parse_json(stream.read(), file.shown, None), file.shown, None)
    language, asked_in = language_of_name(file.path.name), question_language_of_name(file.path.name)
    for article in whole.rows("data"):
        for paragraph in article.rows("paragraphs"):
            context = paragraph.text("context")
            language = detect_language(context) if language is None else language
            for row in paragraph.rows("qas"):
                yield _question(row, context, article.optional_text("title"), language, asked_in)


def _language_in(row: Fields, field: str) -> str | None:
    given = row.optional_text(field)
    language = None if given is None else canonical_language(given)
    if given is not None and language is None:
        raise row.error(f'"{field}" must be a BCP 47 code such as "el" or "zh-Hant", found {shown(given)}')
    return language


def _question(
    row: Fields, context: str, title: str | None, language: str | None, question_language: str | None = None
) -> GoldQuestion:
    answers = () if row.is_true("is_impossible") else row.rows("answers")
    return GoldQuestion(
        id=row.text("id"),
        question=row.text("question"),
        context=context,
        title="" if title is None else title,
        language=language,
        answers=tuple(_place_answer(answer, context) for answer in answers),
        question_language=question_language,
    )


def _place_answer(answer: Fields, context: str) -> GoldAnswer:
    given, start = answer.text("text"), answer.offset("answer_start")
    text = given.strip()
    while start < len(context) and context[start].isspace():
        start += 1
    if not context.startswith(text, start):
        found = context[start : start + len(text)]
        raise answer.error(f"the answer {shown(given)} does not stand at its offset; there stands {shown(found)}")
    return GoldAnswer(text=text, start=start)


def _title_key(title: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", title).casefold().replace("_", " ").split())


def _rank(key: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{key}".encode()).digest()
