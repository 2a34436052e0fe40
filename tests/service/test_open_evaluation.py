"""The figures of the whole path, and where answers are lost, by hand."""

from __future__ import annotations

import pytest

from corpora import Passage, QuestionError
from indexer import RetrievedPassage
from reader.questions import GoldAnswer, GoldQuestion
from service.answering import QuestionAnswerer
from service.answers import Answer, AnswerResult, AnswerTrace, Timings
from service.open_evaluation import Asked, Outcome, evaluate_open, judge, mean_quality, open_json, quality

CONTEXT = "The canal was opened in 1869 by the king."


def asked(*answers: str, question: str = "When?", context: str = CONTEXT, spoken: str | None = None) -> GoldQuestion:
    golds = tuple(GoldAnswer(text=text, start=context.index(text)) for text in answers)
    return GoldQuestion(
        id=question,
        question=question,
        context=context,
        title="",
        language="en",
        answers=golds,
        question_language=spoken,
    )


def trace(retrieved: str, read: int, *texts: str) -> AnswerTrace:
    """Return a trace of documents with names of one letter, ``read`` of them read, and these answers."""
    passages = [Passage(id=f"{name}@0", document_id=name, text="", start=0) for name in retrieved]
    answers = tuple(answer(text, passages[0]) for text in texts)
    result = AnswerResult(
        question="", language="en", answered=True, answers=answers, no_answer=0.0, timings=Timings(total_ms=0.0)
    )
    found = tuple(RetrievedPassage(passage=one, score=-n, rank=n) for n, one in enumerate(passages, start=1))
    return AnswerTrace(result=result, retrieved=found, read=read)


def answer(text: str, passage: Passage) -> Answer:
    return Answer(
        text=text,
        score=0.9,
        document_id=passage.document_id,
        title="",
        headings=(),
        page=None,
        source="-",
        language="en",
        start=0,
        end=len(text),
        passage=passage,
        span_score=0.0,
        retrieval_score=0.0,
        support=1,
    )


@pytest.mark.parametrize(
    ("outcome", "traced"),
    [
        (Outcome.RIGHT, trace("ag", 2, "in 1869", "1870")),
        # Right words are right wherever they stand.
        (Outcome.RIGHT, trace("ab", 2, "1869")),
        (Outcome.NOT_RETRIEVED, trace("ab", 2, "1870", "1869")),
        (Outcome.NOT_RETRIEVED, trace("", 0)),
        (Outcome.NOT_READ, trace("abg", 2, "1870", "1869")),
        (Outcome.NOT_FOUND, trace("abg", 3, "1870", "the king")),
        (Outcome.NOT_FOUND, trace("abg", 3)),
        (Outcome.NOT_RANKED, trace("abg", 3, "1870", "the king", "1869")),
    ],
)
def test_a_question_is_lost_at_the_first_stage_that_fails(outcome: Outcome, traced: AnswerTrace) -> None:
    assert judge(asked("1869"), traced, {"g", "h"}).outcome is outcome


def test_the_first_answer_is_scored_against_the_best_of_the_expected_ones() -> None:
    # "the" is an article of MLQA's rules: "king" against "king", and against "by king" 2 * 1 / (1 + 2).
    assert judge(asked("by the king"), trace("g", 1, "the king"), {"g"}).f1 == pytest.approx(2 / 3)
    both = judge(asked("by the king", "king"), trace("g", 1, "the king"), {"g"})
    assert (both.f1, both.exact_match) == (1.0, 1.0)
    none = judge(asked("king"), trace("g", 1), {"g"})
    assert (none.f1, none.exact_match) == (0.0, 0.0)


def record(outcome: Outcome, *, f1: float, answered: bool = True, retrieved: bool = True, read: bool = True) -> Asked:
    return Asked(
        f1=f1, exact_match=float(f1 == 1.0), answered=answered, retrieved=retrieved, read=read, outcome=outcome
    )


RECORDS = [
    record(Outcome.RIGHT, f1=1.0),
    record(Outcome.NOT_RANKED, f1=0.5, answered=False),
    record(Outcome.NOT_READ, f1=0.0, read=False),
    record(Outcome.NOT_RETRIEVED, f1=0.0, answered=False, retrieved=False, read=False),
]


def test_figures_of_some_questions() -> None:
    figures = quality(RECORDS)
    assert (figures.f1, figures.exact_match, figures.questions) == (37.5, 25.0, 4)
    assert (figures.answered, figures.retrieved, figures.read) == (0.5, 0.75, 0.5)
    assert figures.outcomes == {
        Outcome.RIGHT: 0.25,
        Outcome.NOT_RETRIEVED: 0.25,
        Outcome.NOT_READ: 0.25,
        Outcome.NOT_FOUND: 0.0,
        Outcome.NOT_RANKED: 0.25,
    }
    assert (quality([]).f1, quality([]).questions) == (0.0, 0)


def test_every_language_counts_the_same_in_the_mean() -> None:
    mean = mean_quality([quality(RECORDS), quality(RECORDS[:1])])
    assert (mean.f1, mean.exact_match, mean.questions) == (68.75, 62.5, 5)
    assert (mean.answered, mean.retrieved, mean.read) == (0.75, 0.875, 0.75)
    assert mean.outcomes[Outcome.RIGHT] == 0.625
    assert sum(mean.outcomes.values()) == 1.0
    assert sum(mean_quality([]).outcomes.values()) == 0.0


def test_questions_are_asked_of_the_whole_index(answerer: QuestionAnswerer) -> None:
    documents = [answerer.document(name) for name in ("en-canal", "en-toll")]
    canal = documents[0].text
    questions = [
        asked("1869", question="When was the canal opened?", context=canal, spoken="en"),
        # The fake reader answers with numbers alone, and prefers 193 to 1869 here.
        asked("1869", question="How many kilometres long is the canal?", context=canal),
        asked("Ships", question="Who pays?", context=canal),
        asked(question="Nothing expected?", context=canal),
        asked("1870", question="Not indexed?", context="It was 1870."),
    ]
    told: list[tuple[int, int]] = []
    evaluation = evaluate_open(answerer, documents, questions, progress=lambda done, total: told.append((done, total)))
    figures = evaluation.by_language["en"]
    assert figures.exact_match == pytest.approx(100 / 3)
    assert (figures.retrieved, figures.read) == (1.0, 1.0)
    assert {outcome: share for outcome, share in figures.outcomes.items() if share} == pytest.approx(
        {Outcome.RIGHT: 1 / 3, Outcome.NOT_RANKED: 1 / 3, Outcome.NOT_FOUND: 1 / 3}
    )
    assert (figures.questions, evaluation.unanswerable, evaluation.missing) == (3, 1, 1)
    assert set(evaluation.by_pair) == {("en", "en")}
    assert evaluation.by_pair["en", "en"].f1 == 100.0
    assert told == [(3, 3)]


def test_a_question_that_cannot_be_asked_is_refused_before_any_is_asked(answerer: QuestionAnswerer) -> None:
    document = answerer.document("en-canal")
    questions = [asked("1869", question=text, context=document.text) for text in ("When?", "w" * 2001)]
    told: list[int] = []
    with pytest.raises(QuestionError, match="question 2 of 2"):
        evaluate_open(answerer, [document], questions, progress=lambda done, total: told.append(done))
    assert told == []


def test_the_json(answerer: QuestionAnswerer) -> None:
    document = answerer.document("en-canal")
    canal = asked("1869", question="When was the canal opened?", context=document.text)
    written = open_json(evaluate_open(answerer, [document], [canal]))
    figures = {
        "f1": 100.0,
        "exact_match": 100.0,
        "answered": 1.0,
        "retrieved": 1.0,
        "read": 1.0,
        "outcomes": {"right": 1.0, "not_retrieved": 0.0, "not_read": 0.0, "not_found": 0.0, "not_ranked": 0.0},
        "questions": 1,
    }
    assert written == {
        "average": figures,
        "by_language": {"en": figures},
        "by_pair": {},
        "unanswerable": 0,
        "missing": 0,
    }
