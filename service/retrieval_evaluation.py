"""Measure retrieval: is the paragraph that a question was asked on among the first passages?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.settings import SearchMode

if TYPE_CHECKING:
    from corpora.documents import Document
    from indexer.passages import RetrievedPassage
    from reader.questions import GoldQuestion
    from service.protocols import Retriever

DEPTH = 100
_CHUNK = 128
UNKNOWN_LANGUAGE = "und"


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
    """The figures of each language and their plain mean; ``missing`` questions have a paragraph that is not indexed."""

    average: RetrievalQuality
    by_language: Mapping[str, RetrievalQuality]
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
    ids: dict[str, set[str]] = {}
    for document in documents:
        ids.setdefault(document.text.strip(), set()).add(document.id)
    gold = list(questions)
    asked = [question for question in gold if question.context.strip() in ids]
    ranks: dict[str, list[int | None]] = {}
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        retrieved = retriever.retrieve_batch([one.question for one in chunk], top_k=DEPTH, mode=mode)
        for question, found in zip(chunk, retrieved, strict=True):
            language = UNKNOWN_LANGUAGE if question.language is None else question.language
            ranks.setdefault(language, []).append(document_rank(found, ids[question.context.strip()]))
        if progress is not None:
            progress(start + len(chunk), len(asked))
    by_language = {language: quality(ranks[language]) for language in sorted(ranks)}
    return RetrievalEvaluation(
        average=_mean(list(by_language.values())), by_language=by_language, missing=len(gold) - len(asked)
    )


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
    order = list(dict.fromkeys(item.passage.document_id for item in found))
    return next((rank for rank, document_id in enumerate(order, start=1) if document_id in wanted), None)


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
        "average": _figures(evaluation.average),
        "by_language": {language: _figures(one) for language, one in evaluation.by_language.items()},
        "by_pair": {},
        "missing": evaluation.missing,
    }


def _figures(one: RetrievalQuality) -> dict[str, float | int]:
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
