"""Retrieval figures by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from corpora import Document, Passage
from indexer import RetrievedPassage
from reader.questions import GoldQuestion
from service.answering import QuestionAnswerer
from service.retrieval_evaluation import context_documents, document_rank, evaluate_retrieval, quality, retrieval_json


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


def test_figures_are_also_by_language_of_question_and_paragraph(answerer: QuestionAnswerer) -> None:
    canal, organ = (answerer.document(name) for name in ("en-canal", "de-orgel"))
    questions = [
        replace(asked("When was the canal opened?", canal.text), question_language="en"),
        replace(asked("Wann wurde die Orgel gebaut?", canal.text), question_language="de"),
        replace(asked("Wann wurde die Orgel gebaut?", organ.text, "de"), question_language="de"),
        asked("How long is the canal?", canal.text),
    ]
    evaluation = evaluate_retrieval(answerer.index.retriever, [canal, organ], questions)
    assert {pair: (one.recall_1, one.questions) for pair, one in evaluation.by_pair.items()} == {
        ("de", "de"): (1.0, 1),
        ("de", "en"): (0.0, 1),
        ("en", "en"): (1.0, 1),
    }
    assert evaluation.by_language["en"].questions == 3
    by_pair = retrieval_json(evaluation)["by_pair"]
    assert isinstance(by_pair, dict)
    assert by_pair["de"]["en"]["recall@1"] == 0.0


def test_contexts_become_documents_once_each_in_order() -> None:
    questions = [asked("1", "first"), asked("2", "second", "de"), asked("3", "first")]
    assert context_documents(questions) == [
        Document(id="context-0", text="first", language="en"),
        Document(id="context-1", text="second", language="de"),
    ]
