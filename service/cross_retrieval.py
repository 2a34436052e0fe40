"""Measure retrieval across languages: one question has a right paragraph in every language of a parallel set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reader.evaluation import UNKNOWN_LANGUAGE, language_pair, pairs_json
from service.retrieval_evaluation import (
    RetrievalQuality,
    document_rank,
    document_ranks,
    ids_by_text,
    quality,
    quality_json,
    retrieve_each,
)
from service.settings import SearchMode

if TYPE_CHECKING:
    from corpora.documents import Document
    from indexer.passages import RetrievedPassage
    from reader.questions import GoldQuestion
    from service.protocols import Retriever

FIRST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossQuality:
    """Figures from 0 to 1 of the questions in one language.

    ``mean_average_precision`` is the mean of ``average_precision`` over all right documents, as LAReQA has it for
    XQuAD-R (Roy et al., 2020), there with sentences for documents. ``first_languages`` has the share of each language
    among the first ten passages of all the questions; a language without any is not in it.
    """

    mean_average_precision: float
    first_languages: Mapping[str, float]
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEvaluation:
    """The figures by language of the question, their plain mean, and those by its language and a paragraph's.

    The figures of a pair are those of the paragraphs in its second language alone: paragraphs in others are rivals,
    right as they are. ``missing`` questions have no paragraph that is indexed.
    """

    average: CrossQuality
    by_language: Mapping[str, CrossQuality]
    by_pair: Mapping[tuple[str, str], RetrievalQuality]
    missing: int


def evaluate_across(
    retriever: Retriever,
    documents: Iterable[Document],
    asked: Iterable[GoldQuestion],
    pool: Iterable[GoldQuestion],
    *,
    mode: SearchMode = "hybrid",
    progress: Callable[[int, int], None] | None = None,
) -> CrossEvaluation:
    """Ask each question once, and look for the contexts of all questions of ``pool`` that have its id.

    Only indexed paragraphs count: a pair has the questions whose paragraph in its second language is there.
    """
    right = _right_documents(pool, ids_by_text(documents))
    distinct = dict.fromkeys((one.id, language_pair(one)[0], one.question) for one in asked)
    findable = [one for one in distinct if one[0] in right]
    retrieved = retrieve_each(retriever, [question for _, _, question in findable], mode=mode, progress=progress)
    ranks: dict[tuple[str, str], list[int | None]] = {}
    precisions: dict[str, list[float]] = {}
    languages: dict[str, Counter[str]] = {}
    for (question_id, language, _), found in zip(findable, retrieved, strict=True):
        wanted = right[question_id]
        for shown, ids in wanted.items():
            ranks.setdefault((language, shown), []).append(document_rank(found, ids))
        precisions.setdefault(language, []).append(average_precision(found, set().union(*wanted.values())))
        languages.setdefault(language, Counter()).update(_languages(found[:FIRST]))
    by_language = {language: _quality(precisions[language], languages[language]) for language in sorted(precisions)}
    return CrossEvaluation(
        average=_mean(list(by_language.values())),
        by_language=by_language,
        by_pair={pair: quality(ranks[pair]) for pair in sorted(ranks)},
        missing=len(distinct) - len(findable),
    )


def average_precision(found: Sequence[RetrievedPassage], wanted: set[str]) -> float:
    """Return the mean, over the wanted documents, of the precision at the rank of each; 0 for one that is not found.

    The precision at a rank is the share of wanted ones among the documents up to it. ``wanted`` is not empty.
    """
    ranks = document_ranks(found, wanted)
    return sum(count / rank for count, rank in enumerate(ranks, start=1)) / len(wanted)


def cross_json(evaluation: CrossEvaluation) -> dict[str, object]:
    """Return what ``spanglot evaluate retrieval --cross --json`` prints."""
    return {
        "average": _figures(evaluation.average),
        "by_language": {language: _figures(one) for language, one in evaluation.by_language.items()},
        "by_pair": pairs_json({pair: quality_json(one) for pair, one in evaluation.by_pair.items()}),
        "missing": evaluation.missing,
    }


def _right_documents(pool: Iterable[GoldQuestion], ids: Mapping[str, set[str]]) -> dict[str, dict[str, set[str]]]:
    """Return for each question's id the ids of its documents, by language of the paragraph."""
    right: dict[str, dict[str, set[str]]] = {}
    for question in pool:
        found = ids.get(question.context.strip())
        if found is not None:
            right.setdefault(question.id, {}).setdefault(language_pair(question)[1], set()).update(found)
    return right


def _languages(found: Iterable[RetrievedPassage]) -> list[str]:
    told = [item.passage.language for item in found]
    return [UNKNOWN_LANGUAGE if language is None else language for language in told]


def _quality(precisions: Sequence[float], languages: Counter[str]) -> CrossQuality:
    return CrossQuality(
        mean_average_precision=sum(precisions) / len(precisions),
        first_languages={language: languages[language] / languages.total() for language in sorted(languages)},
        questions=len(precisions),
    )


def _mean(parts: Sequence[CrossQuality]) -> CrossQuality:
    count = max(1, len(parts))
    languages = sorted({language for part in parts for language in part.first_languages})
    return CrossQuality(
        mean_average_precision=sum(part.mean_average_precision for part in parts) / count,
        first_languages={
            language: sum(part.first_languages.get(language, 0.0) for part in parts) / count for language in languages
        },
        questions=sum(part.questions for part in parts),
    )


def _figures(one: CrossQuality) -> dict[str, object]:
    return {
        "map": round(one.mean_average_precision, 4),
        "first_10": {language: round(share, 4) for language, share in one.first_languages.items()},
        "questions": one.questions,
    }
