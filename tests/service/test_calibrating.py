"""The calibration's figures by hand, and its fit on questions asked of a small real index."""

from __future__ import annotations

import numpy as np
import pytest

from corpora import Document
from reader import ReaderError
from reader.questions import GoldAnswer, GoldQuestion
from service.answering import QuestionAnswerer
from service.calibrating import Asked, _threshold, ask_held_out, calibrate
from service.fitting import deal


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


def test_documents_are_dealt_to_indexes_of_several_sizes() -> None:
    documents = [Document(id=str(number), text="x") for number in range(31)]
    dealt = deal(documents, sizes=(2, 7))
    assert [len(held) for held in dealt] == [2, 2, 2, 2, 2, 7, 3, 11]
    assert sorted(int(document.id) for held in dealt for document in held) == list(range(31))
    assert deal(documents, sizes=(2, 7)) == dealt
    assert deal([], sizes=(2,)) == [[]]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_questions_are_refused_with_the_cure(count: int) -> None:
    asked = [Asked(np.array([[8.0, 0.0, 0.5]]), np.array([True]), answerable=True)] * count
    with pytest.raises(ReaderError, match=f"{count} held-out questions are too few .* raise .held_out. in the recipe"):
        calibrate(asked)


def test_the_threshold_counts_questions_across_languages_as_much_as_the_others() -> None:
    # Within a language right answers have 0.8 and wrong ones 0.5; across two, 0.4 and 0.1, and there are few of them.
    p = np.array([0.8, 0.5] * 50 + [0.4, 0.1] * 5)
    right = np.array([True, False] * 55)
    across = np.array([False] * 100 + [True] * 10)
    assert _threshold(p, right, np.zeros(110, bool)) == 0.8
    # At 0.8 the first gain 1 and the second 0; at 0.4 it is the other way round, and the lower one is taken.
    assert _threshold(p, right, across) == 0.4
    assert _threshold(p[100:], right[100:], across[100:]) == 0.4


def test_the_fit_parts_what_the_scores_part() -> None:
    drawn = np.random.default_rng(4)
    asked = []
    for place in range(400):
        answerable = place % 2 == 0
        span = drawn.normal(8.0 if answerable else 3.0, 1.0)
        features = np.array([[span, drawn.normal(), 0.5], [span - 4.0, 0.0, 0.3]])
        language = "el" if place % 4 < 2 else "en"
        asked.append(Asked(features, np.array([answerable, False]), answerable, language))
    report = calibrate(asked)
    assert {language: figures.questions for language, figures in report.by_language.items()} == {"el": 200, "en": 200}
    for figures in (report.overall, *report.by_language.values()):
        assert figures.accuracy > 0.95
        assert figures.auroc > 0.95
        assert figures.calibration_error < 0.1
    assert report.overall.questions == sum(bin.count for bin in report.bins) == 400
    assert report.risk_coverage.risk[-1] == pytest.approx(0.5, abs=0.02)
    assert report.risk_coverage.area < 0.25
    assert report.calibration.span > 0
    sure, unsure = report.calibration.probability([8.0, 3.0], 0.0, 0.5)
    assert unsure < report.calibration.threshold < sure
