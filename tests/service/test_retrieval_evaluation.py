"""Retrieval figures by hand."""

from __future__ import annotations

import math

import pytest

from corpora import Document, Passage
from indexer import RetrievedPassage
from reader.questions import GoldQuestion
from service.answering import QuestionAnswerer
from service.retrieval_evaluation import context_documents, document_rank, evaluate_retrieval, quality


def found(*document_ids: str) -> list[RetrievedPassage]:
    return [
        RetrievedPassage(
            passage=Passage(id=f"{name}@{rank}", document_id=name, text="", start=0), score=-rank, rank=rank
        )
        for rank, name in enumerate(document_ids, start=1)
    ]


def asked(question: str, context: str, language: str = "en") -> GoldQuestion:
    return GoldQuestion(id=question, question=question, context=context, title="", language=language, answers=())


def test_the_rank_counts_documents_and_not_passages() -> None:
    assert document_rank(found("a", "a", "b", "a", "c"), {"c"}) == 3
    assert document_rank(found("a", "b"), {"c"}) is None


def test_figures_by_hand() -> None:
    figures = quality([1, 3, 6, None])
    assert (figures.recall_1, figures.recall_5, figures.recall_20) == (0.25, 0.5, 0.75)
    assert figures.mrr == pytest.approx((1 + 1 / 3 + 1 / 6) / 4)
    assert figures.ndcg_10 == pytest.approx((1 + 1 / 2 + 1 / math.log2(7)) / 4)
    assert figures.questions == 4
    assert quality([]).mrr == 0.0


def test_a_question_is_looked_for_by_its_own_text(answerer: QuestionAnswerer) -> None:
    documents = [answerer.document(name) for name in ("en-canal",)]
    questions = [asked("When was the canal opened?", documents[0].text), asked("Why?", "A text that is not indexed.")]
    evaluation = evaluate_retrieval(answerer.index.retriever, documents, questions)
    assert evaluation.by_language["en"].recall_1 == 1.0
    assert evaluation.average.questions == 1
    assert evaluation.missing == 1


def test_contexts_become_documents_once_each_in_order() -> None:
    questions = [asked("1", "first"), asked("2", "second", "de"), asked("3", "first")]
    assert context_documents(questions) == [
        Document(id="context-0", text="first", language="en"),
        Document(id="context-1", text="second", language="de"),
    ]
