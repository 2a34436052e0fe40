"""Fit a reader's calibration: ask held-out questions of an index of their paragraphs, with and without the right one.

The service does this because it takes both a retriever and a reader; the reader keeps the result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reader.calibration import Calibration, fit_calibration
from reader.errors import ReaderError
from reader.evaluation import UNKNOWN_LANGUAGE, language_pair
from service import judging, searching
from service.reliability import (
    Reliability,
    RiskCoverage,
    area_under_roc,
    expected_calibration_error,
    reliability_bins,
    risk_coverage,
)
from service.settings import AnswerSettings

if TYPE_CHECKING:
    from indexer.passages import RetrievedPassage
    from reader.questions import GoldQuestion
    from reader.spans import AnswerSpan
    from service.protocols import Reader, Retriever

Floats = npt.NDArray[np.float64]
_ROUNDS = 4
_CHUNK = 16
_AS_IN_USE = AnswerSettings()
_OF_A_DOCUMENT = 4  # passages that a document which is withheld may take up among those retrieved
_START = Calibration(bias=0.0, span=0.5, no_answer=0.5, retrieval=0.5, given=3.0, threshold=0.5)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was found for one question: (n, 3) span scores, no-answer scores and margins, and which of the n are right.

    ``answerable`` is False where the question's own paragraph was withheld; ``language`` is the question's, and
    ``across`` says whether that paragraph is in another one.
    """

    features: Floats
    right: npt.NDArray[np.bool_]
    answerable: bool
    language: str = UNKNOWN_LANGUAGE
    across: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFigures:
    """How good the probabilities of the best answers to a number of questions are.

    ``accuracy`` is the share of answerable questions whose best answer is right, ``calibration_error`` the expected
    calibration error over ten equal bins, ``auroc`` how well the best score tells answerable from unanswerable
    questions (one half is chance, NaN where all are of one kind).
    """

    questions: int
    accuracy: float
    calibration_error: float
    auroc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """The calibration fitted on all questions, and figures of each question by one fitted on the other half of them."""

    calibration: Calibration
    overall: CalibrationFigures
    by_language: Mapping[str, CalibrationFigures]
    bins: tuple[Reliability, ...]
    risk_coverage: RiskCoverage


def ask_held_out(
    reader: Reader,
    retriever: Retriever,
    questions: Sequence[GoldQuestion],
    documents: Sequence[str],
    *,
    settings: AnswerSettings = _AS_IN_USE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Asked]:
    """Ask every question once; ``documents[i]`` is the id of the document that is the context of ``questions[i]``.

    Every other question finds its own document withheld, and so cannot be answered.
    """
    asked: list[Asked] = []
    for start in range(0, len(questions), _CHUNK):
        chunk = questions[start : start + _CHUNK]
        found = retriever.retrieve_batch(
            [question.question for question in chunk], top_k=settings.retrieved_passages + _OF_A_DOCUMENT
        )
        kept: list[list[RetrievedPassage]] = []
        for place, passages in enumerate(found, start=start):
            withheld = documents[place] if place % 2 else None
            others = [item for item in passages if item.passage.document_id != withheld]
            kept.append(others[: settings.retrieved_passages])
        spans = reader.read_batch(
            [question.question for question in chunk],
            [[item.passage for item in passages[: settings.read_passages]] for passages in kept],
            top_k=3,
        )
        for place, (question, passages, answers) in enumerate(zip(chunk, kept, spans, strict=True), start=start):
            margins = searching.retrieval_margins(passages, settings.retrieved_passages)
            by_id = {item.passage.id: margin for item, margin in zip(passages, margins, strict=True)}
            asked.append(_record(question, answers, by_id, answerable=place % 2 == 0))
        progress(len(asked), len(questions))
    return asked


def calibrate(asked: Sequence[Asked], *, seed: int = 1) -> CalibrationReport:
    """Fit on each half of the questions, measure it on the other half, and keep the calibration fitted on all of them.

    Raise ReaderError where there are too few to measure on both answerable and unanswerable ones.
    """
    order = [one for one in asked if len(one.features)]
    random.Random(seed).shuffle(order)
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    if any(len({one.answerable for one in half}) < 2 for half in halves):
        raise ReaderError(
            f"{len(order)} held-out questions are too few to fit a calibration: raise [held_out] in the recipe"
        )
    best: list[tuple[float, bool]] = []
    for other, half in (halves[::-1], halves):
        fitted = _fit(other)
        best += [_best(one, fitted) for one in half]
    p, right = np.array([value for value, _ in best]), np.array([is_right for _, is_right in best])
    answerable = np.array([one.answerable for one in order])
    languages = np.array([one.language for one in order])
    return CalibrationReport(
        calibration=_fit(order),
        overall=_figures(p, right, answerable),
        by_language={
            language: _figures(p[chosen], right[chosen], answerable[chosen])
            for language in sorted(set(languages.tolist()))
            for chosen in [languages == language]
        },
        bins=tuple(reliability_bins(p, right)),
        risk_coverage=risk_coverage(p, right),
    )


def _figures(p: Floats, right: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_]) -> CalibrationFigures:
    return CalibrationFigures(
        questions=len(p),
        accuracy=float(right[answerable].mean()) if answerable.any() else 0.0,
        calibration_error=expected_calibration_error(p, right),
        auroc=area_under_roc(p[answerable], p[~answerable]),
    )


def _record(
    question: GoldQuestion, answers: Sequence[AnswerSpan], margins: dict[str, float], *, answerable: bool
) -> Asked:
    golds = [answer.text for answer in question.answers]
    features = [(span.score, span.no_answer_score, margins[span.passage.id]) for span in answers]
    right = [judging.is_right(span.text, golds, question.language) for span in answers]
    return Asked(
        features=np.array(features, dtype=np.float64).reshape(-1, 3),
        right=np.array(right, dtype=np.bool_),
        answerable=answerable,
        language=language_of(question),
        across=question.question_language not in (None, question.language),
    )


def language_of(question: GoldQuestion) -> str:
    """Return the language in which a question is asked: its own where the file says it, else its paragraph's."""
    return language_pair(question)[0]


def _fit(asked: Sequence[Asked]) -> Calibration:
    """Fit on the best span of each question; which one is best depends on the fit, so a few rounds."""
    calibration = _START
    for _ in range(_ROUNDS):
        chosen = [int(np.argmax(calibration.probability(*one.features.T))) for one in asked]
        features = np.array([one.features[i] for one, i in zip(asked, chosen, strict=True)])
        right = np.array([one.right[i] for one, i in zip(asked, chosen, strict=True)])
        calibration = fit_calibration(features, right, threshold=0.5)
    best = [_best(one, calibration) for one in asked]
    p, right = np.array([p for p, _ in best]), np.array([r for _, r in best])
    return replace(calibration, threshold=_threshold(p, right, np.array([one.across for one in asked])))


def _best(one: Asked, calibration: Calibration) -> tuple[float, bool]:
    p = calibration.probability(*one.features.T)
    return float(p.max()), bool(one.right[int(p.argmax())])


def _threshold(p: Floats, right: npt.NDArray[np.bool_], across: npt.NDArray[np.bool_]) -> float:
    """Return the score that best parts right answers from all others: most true less false positives (Youden, 1950).

    Questions within a language count as much together as those across two, of which there are fewer.
    """
    groups = [group for group in (across, ~across) if right[group].any() and not right[group].all()]
    candidates = np.unique(np.round(p, 2))
    gains = np.zeros(len(candidates))
    for group in groups:
        given = p[group] >= candidates[:, None]
        gains += given[:, right[group]].mean(axis=1) - given[:, ~right[group]].mean(axis=1)
    return float(candidates[int(np.argmax(gains))])
