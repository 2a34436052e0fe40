"""The sample corpus indexed once, its questions asked, and the answers judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from service import judging
from service.version import spanglot_version

if TYPE_CHECKING:
    from corpora.samples import SampleQuestion
    from indexer import Embedder
    from service.answering import QuestionAnswerer
    from service.answers import Answer, AnswerResult

BATCH_SIZE = 8


class Kind(StrEnum):
    """Where a question stands towards the corpus."""

    SAME_LANGUAGE = "same-language"
    CROSS_LANGUAGE = "cross-language"
    UNANSWERABLE = "unanswerable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sample question with what came of it.

    An answerable question is ``right`` where the first answer is right and given as an answer (``answered``); where
    the words are right but stayed below the threshold it is ``withheld`` instead. A question that the corpus does not
    answer is right where none was given. ``document_language`` is None for such a question.
    """

    sample: SampleQuestion
    document_language: str | None
    kind: Kind
    result: AnswerResult
    right: bool
    withheld: bool

    @property
    def best(self) -> Answer | None:
        """The first answer or candidate, if any."""
        return self.result.answers[0] if self.result.answers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many questions of a kind were asked, right, and right in words but below the threshold."""

    kind: Kind | None
    asked: int
    right: int
    withheld: int


def demo_directory(home: Path, samples: Path, embedder: Embedder) -> Path:
    """Return where the index of the samples is kept: another place for other samples, embedders or versions."""
    from indexer.centering import RECIPE

    digest = hashlib.sha256()
    for path in sorted(samples.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    digest.update(f"{embedder.name}\n{embedder.revision}\n{embedder.dimension}\n{RECIPE}".encode())
    return home / f"demo-index-{spanglot_version()}-{digest.hexdigest()[:12]}"


def ask_samples(
    answerer: QuestionAnswerer,
    samples: Sequence[SampleQuestion],
    *,
    top_k: int = 3,
    progress: Callable[[int], None] | None = None,
) -> list[Judged]:
    """Ask the samples in batches and judge the answers; ``progress`` is told of each batch how many it held."""
    judged: list[Judged] = []
    for first in range(0, len(samples), BATCH_SIZE):
        batch = samples[first : first + BATCH_SIZE]
        results = answerer.answer_batch([sample.question for sample in batch], top_k)
        for sample, result in zip(batch, results, strict=True):
            judged.append(judge(sample, _document_language(answerer, sample), result))
        if progress is not None:
            progress(len(batch))
    return judged


def judge(sample: SampleQuestion, document_language: str | None, result: AnswerResult) -> Judged:
    """Compare the first answer to a sample question with the expected ones."""
    kind = _kind(sample, document_language)
    best = result.answers[0] if result.answers else None
    words_right = best is not None and judging.is_right(best.text, sample.answers, best.language)
    return Judged(
        sample=sample,
        document_language=document_language,
        kind=kind,
        result=result,
        right=not result.answered if kind is Kind.UNANSWERABLE else words_right and result.answered,
        withheld=words_right and not result.answered,
    )


def tally(judged: Iterable[Judged]) -> list[Tally]:
    """Count by kind, and over all at the end (kind None)."""
    every = list(judged)
    kinds: list[Kind | None] = [*Kind, None]
    return [_tally(kind, [item for item in every if kind is None or item.kind is kind]) for kind in kinds]


def spotlight(judged: Sequence[Judged]) -> list[Judged]:
    """Pick what shows the point: Greek asks an English document, Hindi a Russian one, and one has no answer.

    What the samples lack is left out.
    """
    picks = (
        next((item for item in judged if (item.sample.language, item.document_language) == ("el", "en")), None),
        next((item for item in judged if (item.sample.language, item.document_language) == ("hi", "ru")), None),
        next((item for item in judged if item.kind is Kind.UNANSWERABLE), None),
    )
    return [item for item in picks if item is not None]


def _document_language(answerer: QuestionAnswerer, sample: SampleQuestion) -> str | None:
    return None if sample.document_id is None else answerer.document(sample.document_id).language


def _kind(sample: SampleQuestion, document_language: str | None) -> Kind:
    if not sample.answers:
        return Kind.UNANSWERABLE
    return Kind.SAME_LANGUAGE if sample.language == document_language else Kind.CROSS_LANGUAGE


def _tally(kind: Kind | None, judged: Sequence[Judged]) -> Tally:
    return Tally(
        kind=kind,
        asked=len(judged),
        right=sum(item.right for item in judged),
        withheld=sum(item.withheld for item in judged),
    )
