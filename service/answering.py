"""Retriever and reader joined: a question in, ranked answers with their places out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from service import limits, ranking, searching
from service.answers import Answer, AnswerResult, AnswerTrace, IndexInfo, SearchResult, Timings
from service.settings import DEFAULT_SEARCH_TOP_K, DEFAULT_TOP_K, AnswerSettings, SearchMode
from service.stopwatch import Stopwatch

if TYPE_CHECKING:
    from corpora.documents import Document
    from indexer.filtering import PassageFilter
    from indexer.passages import RetrievedPassage
    from reader.spans import AnswerSpan
    from service.protocols import OpenIndex, Reader
    from service.ranking import Candidate

    Found = tuple[RetrievedPassage, float]  # a passage with its margin

CONTEXT_ID = "context"


class QuestionAnswerer:
    """Answer questions from one index with one reader."""

    def __init__(self, index: OpenIndex, reader: Reader, settings: AnswerSettings | None = None) -> None:
        self.index = index
        self.reader = reader
        self.settings = AnswerSettings() if settings is None else settings
        self.threshold = float(getattr(reader.calibration, "threshold", self.settings.threshold))

    @classmethod
    def open(
        cls,
        index_dir: str | Path,
        reader: Reader | str | Path | None = None,
        device: str = "auto",
        *,
        allow_pickle: bool = False,
    ) -> QuestionAnswerer:
        """Open an index directory with a reader: a loaded one, a directory or name, or None for Spanglot's own.

        ``allow_pickle`` lets a reader's weights be a ``pytorch_model.bin`` (see ``load_reader``).
        """
        from service import opening

        index = opening.open_index(index_dir, device=device)
        try:
            return cls(index, opening.open_reader(reader, device=device, allow_pickle=allow_pickle))
        except BaseException:
            index.close()
            raise

    def answer(self, question: str, top_k: int = DEFAULT_TOP_K, only: PassageFilter | None = None) -> AnswerResult:
        """Return at most ``top_k`` answers; raise QuestionError or UsageError for what cannot be asked.

        ``only`` says which passages may answer: by language, source and metadata.
        """
        return self.answer_batch([question], top_k, only)[0]

    def answer_batch(
        self, questions: Sequence[str], top_k: int = DEFAULT_TOP_K, only: PassageFilter | None = None
    ) -> list[AnswerResult]:
        """Return the result of each question, in their order; all their passages are read together."""
        return [trace.result for trace in self.trace_batch(questions, top_k, only)]

    def trace_batch(
        self, questions: Sequence[str], top_k: int = DEFAULT_TOP_K, only: PassageFilter | None = None
    ) -> list[AnswerTrace]:
        """Return what ``answer_batch`` does, each result with the passages that were retrieved and read for it."""
        limits.check_top_k(top_k)
        asked = limits.check_questions(questions)
        if not asked:
            return []
        clock = Stopwatch(shared_by=len(asked))
        retrieved = self.index.retriever.retrieve_batch(asked, top_k=self.settings.retrieved_passages, only=only)
        to_read = [self._with_margins(passages) for passages in retrieved]
        retrieve_ms = clock.lap()
        candidates, read = self._read(asked, to_read)
        read_ms = clock.lap()
        ranked = [ranking.rank_answers(each, top_k) for each in candidates]
        timings = Timings(retrieve_ms=retrieve_ms, read_ms=read_ms, rank_ms=clock.lap(), total_ms=clock.total())
        info = self.index.info
        results = [self._result(*pair, timings, info) for pair in zip(asked, ranked, strict=True)]
        return [
            AnswerTrace(result=result, retrieved=tuple(passages), read=count)
            for result, passages, count in zip(results, retrieved, read, strict=True)
        ]

    def read(self, question: str, context: str, top_k: int = DEFAULT_TOP_K) -> AnswerResult:
        """Answer from the given text alone; offsets count in it, and the result names no index."""
        from corpora.documents import Passage
        from corpora.languages import detect_language

        limits.check_top_k(top_k)
        asked = limits.check_questions([question])
        limits.check_context(context)
        clock = Stopwatch()
        language = detect_language(context)
        passage = Passage(id=CONTEXT_ID, document_id=CONTEXT_ID, text=context, start=0, language=language)
        spans = self.reader.read_batch(asked, [[passage]], top_k=max(top_k, self.settings.spans_per_passage))[0]
        read_ms = clock.lap()
        candidates = ranking.score_candidates(spans, [None] * len(spans), self.reader.calibration)
        answers = ranking.rank_answers(candidates, top_k)
        timings = Timings(read_ms=read_ms, rank_ms=clock.lap(), total_ms=clock.total())
        return self._result(asked[0], answers, timings, None)

    def search(
        self,
        question: str,
        top_k: int = DEFAULT_SEARCH_TOP_K,
        mode: SearchMode = "hybrid",
        only: PassageFilter | None = None,
    ) -> SearchResult:
        """Return the passages nearest to the question without reading them."""
        return searching.search_index(self.index, question, top_k, mode, only)

    def document(self, document_id: str) -> Document:
        """Return a document of the index whole, for looking up the place of an answer."""
        return self.index.document(document_id)

    def close(self) -> None:
        """Close the index; a second call does nothing."""
        self.index.close()

    def __enter__(self) -> QuestionAnswerer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _with_margins(self, passages: Sequence[RetrievedPassage]) -> list[Found]:
        margins = searching.retrieval_margins(passages, self.settings.retrieved_passages)
        return list(zip(passages, margins, strict=True))[: self.settings.read_passages]

    def _read(
        self, asked: Sequence[str], to_read: Sequence[Sequence[Found]]
    ) -> tuple[list[list[Candidate]], list[int]]:
        """Read the best passages of every question, and the others of those that have no sure answer yet.

        Return the candidates of each question, and how many of its passages were read. What is read of a question
        depends on its own passages alone, never on what it is asked together with.
        """
        first = self.settings.read_first
        candidates = self._read_all(asked, [passages[:first] for passages in to_read])
        read = [min(first, len(passages)) for passages in to_read]
        unsure = [
            place
            for place, found in enumerate(candidates)
            if max((candidate.score for candidate in found), default=0.0) < self.settings.sure
        ]
        more = self._read_all([asked[place] for place in unsure], [to_read[place][first:] for place in unsure])
        for place, found in zip(unsure, more, strict=True):
            candidates[place] += found
            read[place] = len(to_read[place])
        return candidates, read

    def _read_all(self, asked: Sequence[str], to_read: Sequence[Sequence[Found]]) -> list[list[Candidate]]:
        if not any(to_read):
            return [[] for _ in asked]
        spans = self.reader.read_batch(
            asked,
            [[item.passage for item, _ in found] for found in to_read],
            top_k=self.settings.spans_per_passage,
        )
        return [self._candidates(*pair) for pair in zip(spans, to_read, strict=True)]

    def _candidates(self, spans: Sequence[AnswerSpan], found: Sequence[Found]) -> list[Candidate]:
        scores = {item.passage.id: (item.score, margin) for item, margin in found}
        return ranking.score_candidates(spans, [scores[span.passage.id] for span in spans], self.reader.calibration)

    def _result(
        self, question: str, answers: tuple[Answer, ...], timings: Timings, index: IndexInfo | None
    ) -> AnswerResult:
        from corpora.languages import detect_language

        return AnswerResult(
            question=question,
            language=detect_language(question),
            answered=bool(answers) and answers[0].score >= self.threshold,
            answers=answers,
            no_answer=ranking.no_answer_probability(answers),
            timings=timings,
            index=index,
        )
