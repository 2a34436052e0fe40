"""SQuAD-style JSON (SQuAD, XQuAD, MLQA): every paragraph is a document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from corpora.documents import Document
from corpora.errors import RowError
from corpora.languages import canonical_language, detect_language, is_known_language
from corpora.sources import Row, SourceFile, is_encodable, read_text

_MLQA_NAME = re.compile(r"(?:^|-)context-([a-z]{2,3})-question-([a-z]{2,3})(?:-|\.|$)")
_SPLIT_NAMES = frozenset({"train", "dev", "test", "valid", "validation"})


def language_of_name(name: str) -> str | None:
    """Read the language from a file name: ``xquad.el.json``, ``squad.en.train.json``, ``el.json``, MLQA's contexts."""
    mlqa = _MLQA_NAME.search(name)
    if mlqa is not None:
        return mlqa.group(1)
    pieces = name.split(".")[:-1]
    if any(piece not in _SPLIT_NAMES for piece in pieces[1:]):
        # With other words in the name, its first piece is a title: "my.data.json" is not Burmese.
        pieces = pieces[1:]
    for piece in pieces:
        language = canonical_language(piece)
        if language is not None and is_known_language(language):
            return language
    return None


def question_language_of_name(name: str) -> str | None:
    """Read the language of the questions from a file name of MLQA's form; None for any other name."""
    mlqa = _MLQA_NAME.search(name)
    return None if mlqa is None else mlqa.group(2)


def read_squad(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the paragraphs as documents ``file#title/n``, n counted over all articles of that title, from 0."""
    articles = _articles(file)
    language = language_of_name(file.relative.rsplit("/", 1)[-1])
    seen: Counter[str] = Counter()
    if not articles:
        yield RowError(file.shown, None, 'holds no paragraphs: its "data" list is empty')
    for number, article in enumerate(articles):
        place = f"data[{number}]"
        try:
            title, paragraphs = _title(article), _paragraphs(article)
        except ValueError as problem:
            yield RowError(file.shown, None, f"{place} {problem}")
            continue
        for position, paragraph in enumerate(paragraphs):
            document_id = f"{file.relative}#{title}/{seen[title]}"
            seen[title] += 1
            try:
                text = _context(paragraph)
            except ValueError as problem:
                yield RowError(file.shown, None, f"{place}.paragraphs[{position}] {problem}")
                continue
            yield Row(
                document=Document(
                    id=document_id,
                    text=text,
                    title=title,
                    language=detect_language(text) if language is None else language,
                    source=file.source,
                )
            )


def _articles(file: SourceFile) -> list[object]:
    text = read_text(file)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        hint = " (one object a line belongs in a .jsonl file)" if error.msg == "Extra data" else ""
        place = f"line {error.lineno}, column {error.colno}"
        reason = f"is not valid JSON: {error.msg.removesuffix(' at')} at {place}{hint}"
        raise RowError(file.shown, None, reason) from None
    except (ValueError, RecursionError):
        raise RowError(file.shown, None, "is not valid JSON: a number is too long or it is nested too deeply") from None
    articles = content.get("data") if isinstance(content, dict) else None
    if not isinstance(articles, list):
        raise RowError(file.shown, None, 'is not SQuAD-style JSON: it has no "data" list; other rows belong in .jsonl')
    return articles


def _title(article: object) -> str:
    if not isinstance(article, dict):
        raise ValueError("is not an object")
    title = article.get("title")
    if title is None:
        return ""
    if not isinstance(title, str) or not is_encodable(title):
        raise ValueError('has a "title" that is not text')
    return title


def _paragraphs(article: object) -> list[object]:
    paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
    if not isinstance(paragraphs, list):
        raise ValueError('has no "paragraphs" list')
    return paragraphs


def _context(paragraph: object) -> str:
    context = paragraph.get("context") if isinstance(paragraph, dict) else None
    if not isinstance(context, str):
        raise ValueError('has no "context" string')
    if not context.strip():
        raise ValueError('has a blank "context"')
    if not is_encodable(context):
        raise ValueError('has a "context" with half of a surrogate pair, which is not text')
    return context
