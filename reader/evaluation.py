"""Measure a reader: every question asked on the text that is given to answer it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from corpora.documents import Passage
from reader.questions import GoldQuestion
from reader.scoring import Normalizer, exact_match, f1, normalize_answer, normalize_squad
from reader.spans import AnswerSpan

UNKNOWN_LANGUAGE = "und"
_Score = tuple[float, float]
"""F1 and exact match of one answer, 0 to 1."""


class PassageReader(Protocol):
    """What is asked of a reader to be measured; it cuts long passages into windows itself."""

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        """Return for each question its spans over all of its passages, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuality:
    """Mean F1 and exact match in percent over a number of questions."""

    f1: float
    exact_match: float
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityByLanguage:
    """The figures of each language, in order of its code, and their plain mean: every language counts the same.

    ``average.questions`` is the number of all questions; without any, the average is 0.
    """

    average: AnswerQuality
    by_language: Mapping[str, AnswerQuality]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderEvaluation:
    """The same predictions by two sets of rules (see ``reader.scoring``): MLQA's, and SQuAD's as published for XQuAD.

    ``by_pair`` has MLQA's figures by language of the question and of the context; it is empty where no question says
    its language. ``unanswerable`` counts the questions without expected answers, which were not asked.
    """

    mlqa_rules: QualityByLanguage
    squad_rules: QualityByLanguage
    by_pair: Mapping[tuple[str, str], AnswerQuality]
    unanswerable: int


def evaluate_reader(
    reader: PassageReader,
    questions: Iterable[GoldQuestion],
    *,
    progress: Callable[[int, int], None] | None = None,
    chunk_size: int = 64,
) -> ReaderEvaluation:
    """Ask each question on its own context and score the reader's best span; no span counts as the answer "".

    Questions without expected answers are counted and left out: a reader that must answer cannot be right on them.
    ``progress`` is called with the numbers of questions done and of all, after each chunk.
    """
    gold = list(questions)
    asked = [question for question in gold if question.answers]
    predictions: list[str] = []
    for start in range(0, len(asked), chunk_size):
        predictions += _predict(reader, asked[start : start + chunk_size])
        if progress is not None:
            progress(len(predictions), len(asked))
    return ReaderEvaluation(
        mlqa_rules=_quality(asked, predictions, normalize_answer),
        squad_rules=_quality(asked, predictions, normalize_squad),
        by_pair=_by_pair(asked, predictions),
        unanswerable=len(gold) - len(asked),
    )


def sample_by_language(questions: Iterable[GoldQuestion], size: int, *, seed: int = 1) -> list[GoldQuestion]:
    """Return at most ``size`` answerable questions of each language: the first after a seeded shuffle of them.

    Where questions say their own language, ``size`` holds for each pair of it with the context's, and every pair is
    shuffled in a way of its own, so that a few hard questions do not stand for all pairs of a language.
    """
    groups: dict[tuple[str, str], list[GoldQuestion]] = {}
    for question in questions:
        if question.answers:
            groups.setdefault(language_pair(question), []).append(question)
    for pair, group in groups.items():
        told = group[0].question_language is not None
        random.Random(f"{seed} {pair}" if told else seed).shuffle(group)
    return [question for pair in sorted(groups) for question in groups[pair][:size]]


def across_languages(questions: Iterable[GoldQuestion]) -> list[GoldQuestion]:
    """Ask each question on its own context and on those of all questions with the same id, in other languages.

    For parallel sets such as XQuAD, where one id is one question in all languages. A question's language is the one
    that it says, else that of its own context.
    """
    by_id: dict[str, list[GoldQuestion]] = {}
    for question in questions:
        by_id.setdefault(question.id, []).append(question)
    return [
        replace(shown, question=asked.question, question_language=language_pair(asked)[0])
        for group in by_id.values()
        for asked in group
        for shown in group
    ]


def within_and_across(by_pair: Mapping[tuple[str, str], float]) -> tuple[float, float]:
    """Return the mean figure of the pairs of one language, and that of the pairs of two; 0 where there are none."""
    return (
        _mean([figure for (asked, shown), figure in by_pair.items() if asked == shown]),
        _mean([figure for (asked, shown), figure in by_pair.items() if asked != shown]),
    )


def language_pair(question: GoldQuestion) -> tuple[str, str]:
    """Return the languages of a question and of its context; a question that does not say its own has its context's.

    A language that is not known is ``und``.
    """
    language = _language(question)
    return language if question.question_language is None else question.question_language, language


def evaluation_json(evaluation: ReaderEvaluation) -> dict[str, object]:
    """Return what ``spanglot evaluate reader --json`` prints; figures in percent, rounded to two places."""
    return {
        **_quality_json(evaluation.mlqa_rules),
        "by_pair": pairs_json({pair: _figures_json(figures) for pair, figures in evaluation.by_pair.items()}),
        "squad_rules": _quality_json(evaluation.squad_rules),
        "unanswerable": evaluation.unanswerable,
    }


def pairs_json(by_pair: Mapping[tuple[str, str], object]) -> dict[str, dict[str, object]]:
    """Return figures by pair as nested objects: the question's language first, then the context's."""
    table: dict[str, dict[str, object]] = {}
    for (asked, shown), figures in by_pair.items():
        table.setdefault(asked, {})[shown] = figures
    return table


def _predict(reader: PassageReader, questions: Sequence[GoldQuestion]) -> list[str]:
    passages = [[_passage(question)] for question in questions]
    spans = reader.read_batch([question.question for question in questions], passages, top_k=1)
    return [found[0].text if found else "" for found in spans]


def _passage(question: GoldQuestion) -> Passage:
    return Passage(
        id=question.id,
        document_id=question.id,
        text=question.context,
        start=0,
        title=question.title,
        language=question.language,
    )


def _quality(questions: Sequence[GoldQuestion], predictions: Sequence[str], normalize: Normalizer) -> QualityByLanguage:
    scores: dict[str, list[_Score]] = {}
    for question, prediction in zip(questions, predictions, strict=True):
        scores.setdefault(_language(question), []).append(_score(question, prediction, normalize))
    by_language = {language: _figures(scores[language]) for language in sorted(scores)}
    average = AnswerQuality(
        f1=_mean([quality.f1 for quality in by_language.values()]),
        exact_match=_mean([quality.exact_match for quality in by_language.values()]),
        questions=len(questions),
    )
    return QualityByLanguage(average=average, by_language=MappingProxyType(by_language))


def _by_pair(questions: Sequence[GoldQuestion], predictions: Sequence[str]) -> Mapping[tuple[str, str], AnswerQuality]:
    scores: dict[tuple[str, str], list[_Score]] = {}
    for question, prediction in zip(questions, predictions, strict=True):
        if question.question_language is not None:
            scores.setdefault(language_pair(question), []).append(_score(question, prediction, normalize_answer))
    return MappingProxyType({pair: _figures(scores[pair]) for pair in sorted(scores)})


def _score(question: GoldQuestion, prediction: str, normalize: Normalizer) -> _Score:
    golds = [answer.text for answer in question.answers]
    return (
        f1(prediction, golds, question.language, normalize=normalize),
        exact_match(prediction, golds, question.language, normalize=normalize),
    )


def _figures(scores: Sequence[_Score]) -> AnswerQuality:
    return AnswerQuality(
        f1=_percent([score for score, _ in scores]),
        exact_match=_percent([match for _, match in scores]),
        questions=len(scores),
    )


def _language(question: GoldQuestion) -> str:
    return UNKNOWN_LANGUAGE if question.language is None else question.language


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _percent(values: Sequence[float]) -> float:
    return 100 * _mean(values)


def _quality_json(quality: QualityByLanguage) -> dict[str, object]:
    return {
        "average": _figures_json(quality.average),
        "by_language": {language: _figures_json(figures) for language, figures in quality.by_language.items()},
    }


def _figures_json(figures: AnswerQuality) -> dict[str, float | int]:
    return {
        "f1": round(figures.f1, 2),
        "exact_match": round(figures.exact_match, 2),
        "questions": figures.questions,
    }
