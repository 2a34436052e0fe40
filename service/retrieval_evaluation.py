"""Measure retrieval: is the paragraph that a question was asked on among the first passages?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reader.evaluation import language_pair, pairs_json
from service.settings import SearchMode

if TYPE_CHECKING:
    from corpora.documents import Document
    from indexer.passages import RetrievedPassage
    from reader.questions import GoldQuestion
    from service.protocols import Retriever

DEPTH = 100
_CHUNK = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalQuality:
    """Means over questions, from 0 to 1, each with one right document among those retrieved.

    ``recall_1``, ``recall_5``, ``recall_20``: the right document is among the first 1, 5, 20 documents. ``mrr``: the
    mean of 1 / rank (0 beyond the first 100 passages), which for one right document is also ``map``.
    ``ndcg_10``: the mean of 1 / log2(1 + rank) up to rank 10 (Järvelin and Kekäläinen, 2002; one gain of 1).
    """

    recall_1: float
    recall_5: float
    recall_20: float
    mrr: float
    ndcg_10: float
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalEvaluation:
    """The figures of each language of a paragraph, and their plain mean.

    ``by_pair`` has them by language of the question and of the paragraph; it is empty where no question says its
    language. ``missing`` questions have a paragraph that is not indexed.
    """

    average: RetrievalQuality
    by_language: Mapping[str, RetrievalQuality]
    by_pair: Mapping[tuple[str, str], RetrievalQuality]
    missing: int


def evaluate_retrieval(
    retriever: Retriever,
    documents: Iterable[Document],
    questions: Iterable[GoldQuestion],
    *,
    mode: SearchMode = "hybrid",
    progress: Callable[[int, int], None] | None = None,
) -> RetrievalEvaluation:
    """Ask each question and find the rank of the document whose text is its context.

    Passages of one document count once, at its first. Questions on a text that no document has are counted as missing
    and left out.
    """
    ids = ids_by_text(documents)
    gold = list(questions)
    asked = [question for question in gold if question.context.strip() in ids]
    by_language: dict[str, list[int | None]] = {}
    by_pair: dict[tuple[str, str], list[int | None]] = {}
    retrieved = retrieve_each(retriever, [one.question for one in asked], mode=mode, progress=progress)
    for question, found in zip(asked, retrieved, strict=True):
        rank = document_rank(found, ids[question.context.strip()])
        pair = language_pair(question)
        by_language.setdefault(pair[1], []).append(rank)
        if question.question_language is not None:
            by_pair.setdefault(pair, []).append(rank)
    figures = {language: quality(by_language[language]) for language in sorted(by_language)}
    return RetrievalEvaluation(
        average=_mean(list(figures.values())),
        by_language=figures,
        by_pair={pair: quality(by_pair[pair]) for pair in sorted(by_pair)},
        missing=len(gold) - len(asked),
    )


def ids_by_text(documents: Iterable[Document]) -> dict[str, set[str]]:
    """Return the ids of the documents with each text, white space at its edges aside."""
    ids: dict[str, set[str]] = {}
    for document in documents:
        ids.setdefault(document.text.strip(), set()).add(document.id)
    return ids


def retrieve_each(
    retriever: Retriever,
    questions: Sequence[str],
    *,
    mode: SearchMode,
    progress: Callable[[int, int], None] | None,
) -> Iterator[list[RetrievedPassage]]:
    """Yield the best ``DEPTH`` passages of each question, in their order; ``progress`` is told after each batch."""
    for start in range(0, len(questions), _CHUNK):
        chunk = questions[start : start + _CHUNK]
        yield from retriever.retrieve_batch(chunk, top_k=DEPTH, mode=mode)
        if progress is not None:
            progress(start + len(chunk), len(questions))


def context_documents(questions: Iterable[GoldQuestion]) -> list[Document]:
    """Return the different contexts of questions as documents, in the order of their first question."""
    from corpora.documents import Document

    first: dict[str, GoldQuestion] = {}
    for question in questions:
        first.setdefault(question.context, question)
    return [
        Document(id=f"context-{place}", text=one.context, title=one.title, language=one.language)
        for place, one in enumerate(first.values())
    ]


def document_rank(found: Sequence[RetrievedPassage], wanted: set[str]) -> int | None:
    """Return the rank, from 1, of the first wanted document among the different documents found; None without one."""
    return next(iter(document_ranks(found, wanted)), None)


def document_ranks(found: Sequence[RetrievedPassage], wanted: set[str]) -> list[int]:
    """Return the ranks, from 1 and rising, of the wanted documents among the different documents found."""
    order = dict.fromkeys(item.passage.document_id for item in found)
    return [rank for rank, document_id in enumerate(order, start=1) if document_id in wanted]


def quality(ranks: Sequence[int | None]) -> RetrievalQuality:
    """Turn ranks into figures; no ranks give zeros."""
    count = max(1, len(ranks))
    hits = [rank for rank in ranks if rank is not None]
    return RetrievalQuality(
        recall_1=sum(rank <= 1 for rank in hits) / count,
        recall_5=sum(rank <= 5 for rank in hits) / count,
        recall_20=sum(rank <= 20 for rank in hits) / count,
        mrr=sum(1 / rank for rank in hits) / count,
        ndcg_10=sum(1 / math.log2(1 + rank) for rank in hits if rank <= 10) / count,
        questions=len(ranks),
    )


def retrieval_json(evaluation: RetrievalEvaluation) -> dict[str, object]:
    """Return what ``spanglot evaluate retrieval --json`` prints."""
    return {
        "average": quality_json(evaluation.average),
        "by_language": {language: quality_json(one) for language, one in evaluation.by_language.items()},
        "by_pair": pairs_json({pair: quality_json(one) for pair, one in evaluation.by_pair.items()}),
        "missing": evaluation.missing,
    }


def quality_json(one: RetrievalQuality) -> dict[str, float | int]:
    """Return the figures by their usual names, rounded to four places."""
    return {
        "recall@1": round(one.recall_1, 4),
        "recall@5": round(one.recall_5, 4),
        "recall@20": round(one.recall_20, 4),
        "mrr": round(one.mrr, 4),
        "ndcg@10": round(one.ndcg_10, 4),
        "map": round(one.mrr, 4),
        "questions": one.questions,
    }


def _mean(parts: Sequence[RetrievalQuality]) -> RetrievalQuality:
    count = max(1, len(parts))
    return RetrievalQuality(
        recall_1=sum(one.recall_1 for one in parts) / count,
        recall_5=sum(one.recall_5 for one in parts) / count,
        recall_20=sum(one.recall_20 for one in parts) / count,
        mrr=sum(one.mrr for one in parts) / count,
        ndcg_10=sum(one.ndcg_10 for one in parts) / count,
        questions=sum(one.questions for one in parts),
    )
