"""Measure the whole path: a question, no text given, and where its answer is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reader.evaluation import language_pair, pairs_json
from reader.scoring import exact_match, f1
from service import judging, limits
from service.retrieval_evaluation import ids_by_text
from service.settings import MAX_TOP_K

if TYPE_CHECKING:
    from corpora.documents import Document
    from reader.questions import GoldQuestion
    from service.answering import QuestionAnswerer
    from service.answers import AnswerTrace

_CHUNK = 16


class Outcome(StrEnum):
    """What became of a question: its first answer is right, or the first stage that lost the right one."""

    RIGHT = "right"
    NOT_RETRIEVED = "not_retrieved"
    NOT_READ = "not_read"
    NOT_FOUND = "not_found"
    NOT_RANKED = "not_ranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: F1 and exact match of the first answer, 0 to 1, and how far its own paragraph came."""

    f1: float
    exact_match: float
    answered: bool
    retrieved: bool
    read: bool
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuality:
    """Figures of a number of questions: F1 and exact match in percent, all others shares from 0 to 1.

    ``answered``: the first answer reaches the threshold. ``retrieved``, ``read``: the question's own paragraph is among
    the passages that were retrieved, and that were read. ``outcomes`` has every outcome; together they are 1.
    """

    f1: float
    exact_match: float
    answered: float
    retrieved: float
    read: float
    outcomes: Mapping[Outcome, float]
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEvaluation:
    """The figures by language of the paragraph, their plain mean, and by language of question and paragraph.

    ``by_pair`` is empty where no question says its language. ``unanswerable`` questions have no expected answer and
    ``missing`` ones a paragraph that is not indexed; neither are asked.
    """

    average: OpenQuality
    by_language: Mapping[str, OpenQuality]
    by_pair: Mapping[tuple[str, str], OpenQuality]
    unanswerable: int
    missing: int


def evaluate_open(
    answerer: QuestionAnswerer,
    documents: Iterable[Document],
    questions: Iterable[GoldQuestion],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> OpenEvaluation:
    """Ask each question of the whole index; its own paragraph is a document whose text is its context.

    The first answer is scored by MLQA's rules even where it stays below the threshold; no answer counts as "". Raise
    QuestionError for a question that cannot be asked. ``progress`` is told how many are done, and of how many.
    """
    ids = ids_by_text(documents)
    gold = list(questions)
    answerable = [question for question in gold if question.answers]
    indexed = [question for question in answerable if question.context.strip() in ids]
    limits.check_questions([question.question for question in indexed])  # before the long work, not within it
    by_language: dict[str, list[Asked]] = {}
    by_pair: dict[tuple[str, str], list[Asked]] = {}
    for start in range(0, len(indexed), _CHUNK):
        chunk = indexed[start : start + _CHUNK]
        traces = answerer.trace_batch([question.question for question in chunk], MAX_TOP_K)
        for question, trace in zip(chunk, traces, strict=True):
            asked = judge(question, trace, ids[question.context.strip()])
            pair = language_pair(question)
            by_language.setdefault(pair[1], []).append(asked)
            if question.question_language is not None:
                by_pair.setdefault(pair, []).append(asked)
        if progress is not None:
            progress(start + len(chunk), len(indexed))
    figures = {language: quality(by_language[language]) for language in sorted(by_language)}
    return OpenEvaluation(
        average=mean_quality(list(figures.values())),
        by_language=figures,
        by_pair={pair: quality(by_pair[pair]) for pair in sorted(by_pair)},
        unanswerable=len(gold) - len(answerable),
        missing=len(answerable) - len(indexed),
    )


def judge(question: GoldQuestion, trace: AnswerTrace, wanted: set[str]) -> Asked:
    """Say how good the first answer is and, where it is not right, which stage lost the right one.

    ``wanted`` are the ids of the documents with the question's context. Right is what ``judging.is_right`` says of the
    words, wherever they stand. An answer is not found where none of the trace's answers is right, and not ranked where
    one is that is not the first: the trace should hold all of them. Spans that overlap are one answer, the best.
    """
    golds = [answer.text for answer in question.answers]
    answers = trace.result.answers
    right = [judging.is_right(answer.text, golds, question.language) for answer in answers]
    documents = [item.passage.document_id for item in trace.retrieved]
    retrieved = not wanted.isdisjoint(documents)
    read = not wanted.isdisjoint(documents[: trace.read])
    best = answers[0].text if answers else ""
    return Asked(
        f1=f1(best, golds, question.language),
        exact_match=exact_match(best, golds, question.language),
        answered=trace.result.answered,
        retrieved=retrieved,
        read=read,
        outcome=_outcome(right, retrieved=retrieved, read=read),
    )


def quality(asked: Sequence[Asked]) -> OpenQuality:
    """Turn the records of questions into figures; none give zeros."""
    count = max(1, len(asked))
    outcomes = Counter(one.outcome for one in asked)
    return OpenQuality(
        f1=100 * sum(one.f1 for one in asked) / count,
        exact_match=100 * sum(one.exact_match for one in asked) / count,
        answered=sum(one.answered for one in asked) / count,
        retrieved=sum(one.retrieved for one in asked) / count,
        read=sum(one.read for one in asked) / count,
        outcomes={outcome: outcomes[outcome] / count for outcome in Outcome},
        questions=len(asked),
    )


def mean_quality(parts: Sequence[OpenQuality]) -> OpenQuality:
    """Return the plain mean of figures, each counting the same, and the number of all questions; none give zeros."""
    count = max(1, len(parts))
    return OpenQuality(
        f1=sum(part.f1 for part in parts) / count,
        exact_match=sum(part.exact_match for part in parts) / count,
        answered=sum(part.answered for part in parts) / count,
        retrieved=sum(part.retrieved for part in parts) / count,
        read=sum(part.read for part in parts) / count,
        outcomes={outcome: sum(part.outcomes[outcome] for part in parts) / count for outcome in Outcome},
        questions=sum(part.questions for part in parts),
    )


def open_json(evaluation: OpenEvaluation) -> dict[str, object]:
    """Return what ``spanglot evaluate open --json`` prints: percents rounded to two places, shares to four."""
    return {
        "average": _figures(evaluation.average),
        "by_language": {language: _figures(one) for language, one in evaluation.by_language.items()},
        "by_pair": pairs_json({pair: _figures(one) for pair, one in evaluation.by_pair.items()}),
        "unanswerable": evaluation.unanswerable,
        "missing": evaluation.missing,
    }


def _outcome(right: Sequence[bool], *, retrieved: bool, read: bool) -> Outcome:
    if right and right[0]:
        return Outcome.RIGHT
    if not retrieved:
        return Outcome.NOT_RETRIEVED
    if not read:
        return Outcome.NOT_READ
    return Outcome.NOT_RANKED if any(right) else Outcome.NOT_FOUND


def _figures(one: OpenQuality) -> dict[str, object]:
    return {
        "f1": round(one.f1, 2),
        "exact_match": round(one.exact_match, 2),
        "answered": round(one.answered, 4),
        "retrieved": round(one.retrieved, 4),
        "read": round(one.read, 4),
        "outcomes": {outcome.value: round(share, 4) for outcome, share in one.outcomes.items()},
        "questions": one.questions,
    }
