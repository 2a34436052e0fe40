"""The calibration's figures by hand, and its fit on questions asked of a small real index."""

from __future__ import annotations

import numpy as np
import pytest

from reader import ReaderError
from reader.questions import GoldAnswer, GoldQuestion
from service.answering import QuestionAnswerer
from service.calibrating import Asked, area_under_roc, ask_held_out, calibrate, expected_calibration_error


def test_the_calibration_error_by_hand() -> None:
    # Bin 0.2 to 0.3 holds two answers, one right: |0.25 - 0.5|; bin 0.9 to 1 two right ones: |0.95 - 1|.
    p = np.array([0.2, 0.3 - 1e-9, 0.9, 1.0])
    right = np.array([True, False, True, True])
    assert expected_calibration_error(p, right) == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)
    assert expected_calibration_error(np.array([]), np.array([], dtype=bool)) == 0.0


def test_the_area_under_the_curve_by_hand() -> None:
    # Of six pairs 0.9 beats three, 0.4 beats one and ties with one.
    assert area_under_roc(np.array([0.9, 0.4]), np.array([0.1, 0.4, 0.6])) == pytest.approx(4.5 / 6)


def test_a_question_whose_paragraph_is_withheld_is_not_answered_from_it(answerer: QuestionAnswerer) -> None:
    question = GoldQuestion(
        id="q",
        question="When was the canal opened?",
        context="",
        title="",
        language="en",
        answers=(GoldAnswer(text="1869", start=0),),
    )
    with_it, without = ask_held_out(
        answerer.reader, answerer.index.retriever, [question, question], ["en-canal", "en-canal"]
    )
    assert (with_it.answerable, without.answerable) == (True, False)
    assert with_it.features.shape[1] == 3
    assert with_it.right.any()
    assert len(without.features) < len(with_it.features)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_questions_are_refused_with_the_cure(count: int) -> None:
    asked = [Asked(np.array([[8.0, 0.0, 0.5]]), np.array([True]), answerable=True)] * count
    with pytest.raises(ReaderError, match=f"{count} held-out questions are too few .* raise .held_out. in the recipe"):
        calibrate(asked)


def test_the_fit_parts_what_the_scores_part() -> None:
    drawn = np.random.default_rng(4)
    asked = []
    for place in range(400):
        answerable = place % 2 == 0
        span = drawn.normal(8.0 if answerable else 3.0, 1.0)
        features = np.array([[span, drawn.normal(), 0.5], [span - 4.0, 0.0, 0.3]])
        asked.append(Asked(features, np.array([answerable, False]), answerable))
    report = calibrate(asked)
    assert report.questions == 400
    assert report.accuracy > 0.97
    assert report.auroc > 0.97
    assert report.calibration_error < 0.08
    assert report.calibration.span > 0
    sure, unsure = report.calibration.probability([8.0, 3.0], 0.0, 0.5)
    assert unsure < report.calibration.threshold < sure
