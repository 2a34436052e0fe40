"""The figures of a reader, worked out by hand on a few questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from corpora.documents import Passage
from reader.evaluation import (
    across_languages,
    evaluate_reader,
    evaluation_json,
    sample_by_language,
    within_and_across,
)
from reader.questions import GoldAnswer, GoldQuestion
from reader.spans import AnswerSpan


class QuotedWordsReader:
    """A reader that finds the words that the question quotes, and nothing where it quotes none."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        self.batches.append(len(questions))
        return [
            [span for passage in found for span in self._spans(question, passage)][:top_k]
            for question, found in zip(questions, passages, strict=True)
        ]

    def _spans(self, question: str, passage: Passage) -> list[AnswerSpan]:
        words = question.split("'")[1::2]
        return [
            AnswerSpan(passage=passage, start=start, end=start + len(word), score=0.0, no_answer_score=0.0)
            for word in words
            if (start := passage.text.find(word)) >= 0
        ]


def gold(question: str, context: str, *answers: str, language: str | None = "en", key: str = "q") -> GoldQuestion:
    return GoldQuestion(
        id=key,
        question=question,
        context=context,
        title="",
        language=language,
        answers=tuple(GoldAnswer(text=answer, start=context.index(answer)) for answer in answers),
    )


QUESTIONS = [
    gold("Is it 'the big house'?", "In the big house.", "big house"),
    gold("Is it 'big' or 'house'?", "In the big house.", "the", "big house"),
    gold("What is it?", "In the big house.", "big house"),
    gold("Is it '北京市'?", "他在北京市。", "北京", language="zh"),
    gold("Is it 'el río'?", "Por el río.", "río", language="es"),
    gold("Is it 'a pond'?", "In the big house.", language="en"),
    gold("Is it 'nothing'?", "In the big house.", language="fr"),
]


def test_figures_by_language_and_their_mean_by_both_rules() -> None:
    figures = evaluation_json(evaluate_reader(QuotedWordsReader(), QUESTIONS))
    # en: F1 of 1, 2/3 (one of two words) and 0; zh: 2 common characters of 3 and 2; es: the article falls away.
    assert figures == {
        "average": {"f1": 78.52, "exact_match": 44.44, "questions": 5},
        "by_language": {
            "en": {"f1": 55.56, "exact_match": 33.33, "questions": 3},
            "es": {"f1": 100.0, "exact_match": 100.0, "questions": 1},
            "zh": {"f1": 80.0, "exact_match": 0.0, "questions": 1},
        },
        "by_pair": {},
        "squad_rules": {
            "average": {"f1": 40.74, "exact_match": 11.11, "questions": 5},
            "by_language": {
                "en": {"f1": 55.56, "exact_match": 33.33, "questions": 3},
                "es": {"f1": 66.67, "exact_match": 0.0, "questions": 1},
                "zh": {"f1": 0.0, "exact_match": 0.0, "questions": 1},
            },
        },
        "unanswerable": 2,
    }


def test_the_order_of_languages_is_that_of_their_codes() -> None:
    evaluation = evaluate_reader(QuotedWordsReader(), QUESTIONS[::-1])
    assert list(evaluation.mlqa_rules.by_language) == ["en", "es", "zh"]
    assert list(evaluation.squad_rules.by_language) == ["en", "es", "zh"]


def test_questions_are_asked_in_chunks_and_progress_is_told() -> None:
    reader = QuotedWordsReader()
    told: list[tuple[int, int]] = []
    chunked = evaluate_reader(reader, QUESTIONS, progress=lambda done, total: told.append((done, total)), chunk_size=2)
    assert reader.batches == [2, 2, 1]
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert chunked == evaluate_reader(reader, QUESTIONS)


def test_without_answerable_questions_the_average_is_of_nothing() -> None:
    figures = evaluation_json(evaluate_reader(QuotedWordsReader(), QUESTIONS[5:]))
    assert figures["average"] == {"f1": 0.0, "exact_match": 0.0, "questions": 0}
    assert figures["by_language"] == {}
    assert figures["unanswerable"] == 2


def test_an_unknown_language_is_reported_as_undetermined() -> None:
    questions = [gold("Is it 'big'?", "The big house.", "big", language=None)]
    figures = evaluation_json(evaluate_reader(QuotedWordsReader(), questions))
    assert figures["by_language"] == {"und": {"f1": 100.0, "exact_match": 100.0, "questions": 1}}


def test_the_best_span_counts_and_more_are_not_asked_for() -> None:
    questions = [gold("Is it 'house' or 'big house'?", "The big house.", "big house")]
    figures = evaluation_json(evaluate_reader(QuotedWordsReader(), questions))
    assert figures["average"] == {"f1": 66.67, "exact_match": 0.0, "questions": 1}


@pytest.fixture
def many() -> list[GoldQuestion]:
    return [
        gold("Which?", "The big house.", *(["big"] if number % 5 else []), language=language, key=f"{language}{number}")
        for language in ("th", "el", "en")
        for number in range(40 if language != "th" else 5)
    ]


def test_a_sample_has_the_same_number_of_every_language(many: list[GoldQuestion]) -> None:
    sample = sample_by_language(many, 10)
    assert [question.language for question in sample] == ["el"] * 10 + ["en"] * 10 + ["th"] * 4
    assert all(question.answers for question in sample)
    assert len({question.id for question in sample}) == 24


def test_a_sample_is_always_the_same_and_grows_at_its_end(many: list[GoldQuestion]) -> None:
    small, large = (sample_by_language(many, size) for size in (5, 12))
    assert small == sample_by_language(many, 5)
    assert small[:5] == large[:5]
    assert small[:5] != [question for question in many if question.language == "el" and question.answers][:5]
    assert sample_by_language(many, 5, seed=2) != small


def test_a_parallel_set_is_asked_across_languages() -> None:
    parallel = [
        gold("Is it 'the house'?", "the house", "house", key="1"),
        gold("¿Es 'casa'?", "la casa", "casa", language="es", key="1"),
        gold("Is it 'alone'?", "alone", "alone", key="2"),
    ]
    asked = across_languages(parallel)
    assert [(each.question_language, each.language, each.id) for each in asked] == [
        ("en", "en", "1"),
        ("en", "es", "1"),
        ("es", "en", "1"),
        ("es", "es", "1"),
        ("en", "en", "2"),
    ]
    evaluation = evaluate_reader(QuotedWordsReader(), asked)
    # The reader finds quoted words only, so nothing across languages; English has "the house" and "alone", both right.
    assert {pair: figures.f1 for pair, figures in evaluation.by_pair.items()} == {
        ("en", "en"): 100.0,
        ("en", "es"): 0.0,
        ("es", "en"): 0.0,
        ("es", "es"): 100.0,
    }
    assert within_and_across({pair: figures.f1 for pair, figures in evaluation.by_pair.items()}) == (100.0, 0.0)
    by_pair = evaluation_json(evaluation)["by_pair"]
    assert isinstance(by_pair, dict)
    assert by_pair["en"]["en"] == {"f1": 100.0, "exact_match": 100.0, "questions": 2}
    assert len(sample_by_language(asked, 1)) == 4


def test_a_question_that_says_its_own_language_keeps_it_across_languages() -> None:
    row = replace(gold("¿Es 'house'?", "the house", "house"), question_language="es")
    assert across_languages([row]) == [row]
