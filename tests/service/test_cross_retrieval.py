"""Retrieval across languages by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from corpora import Document, Passage
from indexer import RetrievedPassage
from reader.questions import GoldQuestion
from service.cross_retrieval import average_precision, cross_json, evaluate_across
from service.settings import SearchMode

LANGUAGES = {"one-en": "en", "one-de": "de", "two-en": "en", "two-de": "de", "far": "fr", "lost": None}


def found(*document_ids: str) -> list[RetrievedPassage]:
    return [
        RetrievedPassage(
            passage=Passage(
                id=f"{name}@{rank}", document_id=name, text="", start=0, language=LANGUAGES.get(name, "fr")
            ),
            score=-rank,
            rank=rank,
        )
        for rank, name in enumerate(document_ids, start=1)
    ]


class WrittenRetriever:
    """Finds for each question the documents that are written down for it."""

    def __init__(self, written: Mapping[str, Sequence[str]]) -> None:
        self.asked: list[str] = []
        self._written = written

    def retrieve_batch(
        self, questions: Sequence[str], top_k: int = 20, mode: SearchMode = "hybrid"
    ) -> list[list[RetrievedPassage]]:
        self.asked += questions
        return [found(*self._written[question])[:top_k] for question in questions]


def asked(question_id: str, language: str) -> GoldQuestion:
    """Return a question in a language on its paragraph in the same."""
    return GoldQuestion(
        id=question_id,
        question=f"{question_id}-{language}?",
        context=f"The text of {question_id}-{language}.",
        title="",
        language=language,
        answers=(),
    )


POOL = [asked("one", "en"), asked("one", "de"), asked("two", "en"), asked("two", "de")]
DOCUMENTS = [Document(id=one.question[:-1], text=one.context) for one in POOL]
RETRIEVER = {
    "one-en?": ["one-en", "far", "one-de"],
    "one-de?": ["far", "one-de", "lost"],
    "two-en?": ["two-en", "two-en", "two-de"],
    "two-de?": ["far", "lost"],
}


def test_average_precision_is_over_all_wanted_documents() -> None:
    # Found at ranks 1 and 3 of the documents: (1/1 + 2/3) / 2.
    assert average_precision(found("a", "a", "x", "b"), {"a", "b"}) == pytest.approx(5 / 6)
    # Found at rank 2, and one of the two not at all.
    assert average_precision(found("x", "a"), {"a", "b"}) == pytest.approx(1 / 4)
    assert average_precision(found("x"), {"a"}) == 0.0


def test_figures_by_language_and_by_pair() -> None:
    evaluation = evaluate_across(WrittenRetriever(RETRIEVER), DOCUMENTS, POOL, POOL)
    english, german = evaluation.by_language["en"], evaluation.by_language["de"]
    assert english.mean_average_precision == pytest.approx((5 / 6 + 1) / 2)
    assert german.mean_average_precision == pytest.approx((1 / 4 + 0) / 2)
    assert evaluation.average.mean_average_precision == pytest.approx((11 / 12 + 1 / 8) / 2)
    assert (english.questions, evaluation.average.questions, evaluation.missing) == (2, 4, 0)
    recalls = {pair: (one.recall_1, one.recall_5) for pair, one in evaluation.by_pair.items()}
    assert recalls == {
        ("de", "de"): (0.0, 0.5),
        ("de", "en"): (0.0, 0.0),
        ("en", "de"): (0.0, 1.0),
        ("en", "en"): (1.0, 1.0),
    }


def test_the_languages_of_the_first_ten_passages_are_counted() -> None:
    evaluation = evaluate_across(WrittenRetriever(RETRIEVER), DOCUMENTS, POOL, POOL)
    assert evaluation.by_language["en"].first_languages == pytest.approx({"de": 2 / 6, "en": 3 / 6, "fr": 1 / 6})
    assert evaluation.by_language["de"].first_languages == pytest.approx({"de": 1 / 5, "fr": 2 / 5, "und": 2 / 5})
    assert evaluation.average.first_languages["und"] == pytest.approx(1 / 5)
    eleventh = {"one-en?": ["far"] * 10 + ["one-en"]}
    (only,) = evaluate_across(WrittenRetriever(eleventh), DOCUMENTS, POOL[:1], POOL).by_language.values()
    assert only.first_languages == {"fr": 1.0}


def test_a_question_is_asked_once_however_many_paragraphs_it_stands_on() -> None:
    retriever = WrittenRetriever(RETRIEVER)
    evaluate_across(retriever, DOCUMENTS, [POOL[0], POOL[0]], POOL)
    assert retriever.asked == ["one-en?"]


def test_paragraphs_that_are_not_indexed_count_neither_way() -> None:
    lone = asked("three", "en")
    evaluation = evaluate_across(WrittenRetriever(RETRIEVER), DOCUMENTS[:1], [POOL[0], lone], [*POOL, lone])
    assert evaluation.missing == 1
    assert set(evaluation.by_pair) == {("en", "en")}
    assert evaluation.average.mean_average_precision == 1.0


def test_the_json_has_pairs_by_the_language_of_the_question_first() -> None:
    written = cross_json(evaluate_across(WrittenRetriever(RETRIEVER), DOCUMENTS, POOL, POOL))
    assert written["average"] == {
        "map": 0.5208,
        "first_10": {"de": 0.2667, "en": 0.25, "fr": 0.2833, "und": 0.2},
        "questions": 4,
    }
    by_pair = written["by_pair"]
    assert isinstance(by_pair, dict)
    assert (by_pair["en"]["de"]["recall@1"], by_pair["en"]["de"]["recall@5"]) == (0.0, 1.0)
    nothing = evaluate_across(WrittenRetriever({}), [], [], [])
    assert cross_json(nothing) == {
        "average": {"map": 0.0, "first_10": {}, "questions": 0},
        "by_language": {},
        "by_pair": {},
        "missing": 0,
    }
