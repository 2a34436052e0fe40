"""The JSON of an answer and of a search, the same on the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from service.ranking import source_name

if TYPE_CHECKING:
    from corpora.documents import Document
    from indexer import IndexManifest
    from indexer.passages import RetrievedPassage
    from service.answers import Answer, AnswerResult, IndexInfo, SearchResult, Timings


def answer_result_to_dict(result: AnswerResult) -> dict[str, Any]:
    """Return the object of ``ask --json``, ``POST /v1/ask`` and ``POST /v1/read``."""
    return {
        "question": result.question,
        "language": result.language,
        "answered": result.answered,
        "answers": [answer_to_dict(answer) for answer in result.answers],
        "no_answer": result.no_answer,
        "timings": timings_to_dict(result.timings),
        "index": None if result.index is None else index_to_dict(result.index),
    }


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return one answer with its place; ``start`` and ``end`` count in the document."""
    return {
        "text": answer.text,
        "score": answer.score,
        "document_id": answer.document_id,
        "title": answer.title,
        "headings": list(answer.headings),
        "page": answer.page,
        "source": answer.source,
        "language": answer.language,
        "start": answer.start,
        "end": answer.end,
        "passage": {"id": answer.passage.id, "text": answer.passage.text, "start": answer.passage.start},
        "span_score": answer.span_score,
        "retrieval_score": answer.retrieval_score,
        "support": answer.support,
    }


def search_result_to_dict(result: SearchResult) -> dict[str, Any]:
    """Return the object of ``search --json`` and ``POST /v1/search``."""
    return {
        "question": result.question,
        "language": result.language,
        "passages": [retrieved_to_dict(found) for found in result.passages],
        "timings": timings_to_dict(result.timings),
        "index": index_to_dict(result.index),
    }


def retrieved_to_dict(found: RetrievedPassage) -> dict[str, Any]:
    """Return one passage of a search with its place in the ranking."""
    passage = found.passage
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "title": passage.title,
        "text": passage.text,
        "start": passage.start,
        "language": passage.language,
        "page": passage.page,
        "source": source_name(passage.source),
        "score": float(found.score),
        "dense_score": _plain(found.dense_score),
        "lexical_score": _plain(found.lexical_score),
        "rank": found.rank,
    }


def timings_to_dict(timings: Timings) -> dict[str, float]:
    """Return the milliseconds of the stages that took place, to the microsecond."""
    return {name: round(value, 3) for name, value in asdict(timings).items() if value is not None}


def index_to_dict(info: IndexInfo) -> dict[str, Any]:
    """Return which index answered."""
    return asdict(info)


def document_to_dict(document: Document) -> dict[str, Any]:
    """Return the object of ``show --json``: a document as it is stored."""
    return {
        "id": document.id,
        "title": document.title,
        "language": document.language,
        "source": source_name(document.source),
        "metadata": dict(document.metadata),
        "sections": [
            {"start": section.start, "headings": list(section.headings), "page": section.page}
            for section in document.sections
        ],
        "text": document.text,
    }


def _plain(score: float | None) -> float | None:
    return None if score is None else float(score)


def manifest_to_dict(manifest: IndexManifest) -> dict[str, Any]:
    """Return the object of ``info --json``: the manifest of the open generation."""
    return {
        "generation": manifest.generation,
        "commit": manifest.commit,
        "created": manifest.created,
        "format_version": manifest.format_version,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "languages": {item.language: item.documents for item in manifest.languages},
        "embedder": asdict(manifest.embedder),
        "recipe": asdict(manifest.recipe),
    }
