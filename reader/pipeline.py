"""Question answering on a given text, in the place of the pipeline that transformers dropped in 5.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, overload

from corpora.documents import Passage
from corpora.errors import UsageError
from corpora.languages import detect_language
from corpora.questions import validate_question
from reader.checkpoint import load_reader
from reader.reading import XlmReader
from reader.spans import AnswerSpan


class PipelineAnswer(TypedDict):
    """The best answer to one question: ``context[start:end] == answer``, half-open, in code points.

    ``score`` is the reader's calibrated probability that the answer is right, for a passage that was given; of a
    checkpoint without a fitted calibration it is only an order. The old pipeline's score was a softmax within one
    window and is not comparable to it. Where no span was found, the answer is empty and its score 0.
    """

    score: float
    start: int
    end: int
    answer: str


class QuestionAnswering:
    """Answers questions about given texts; made by ``question_answering``."""

    def __init__(self, reader: XlmReader) -> None:
        self.reader = reader

    @overload
    def __call__(self, inputs: Mapping[str, str], /) -> PipelineAnswer: ...
    @overload
    def __call__(self, inputs: Sequence[Mapping[str, str]], /) -> list[PipelineAnswer]: ...
    @overload
    def __call__(self, /, *, question: str, context: str) -> PipelineAnswer: ...
    def __call__(
        self,
        inputs: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
        /,
        *,
        question: str | None = None,
        context: str | None = None,
    ) -> PipelineAnswer | list[PipelineAnswer]:
        """Answer one question (a mapping or keywords) with one answer, and a list of them with a list, in their order.

        Raise QuestionError for an empty or over-long question, UsageError for anything else that cannot be read so.
        """
        if inputs is None:
            if question is None or context is None:
                raise UsageError("give a question and a context: {'question': ..., 'context': ...}")
            return self._answer([{"question": question, "context": context}])[0]
        if question is not None or context is not None:
            raise UsageError("give the question either in a mapping or by keywords, not both")
        return self._answer([inputs])[0] if isinstance(inputs, Mapping) else self._answer(inputs)

    def _answer(self, inputs: Sequence[Mapping[str, str]]) -> list[PipelineAnswer]:
        asked = [_validated(each) for each in inputs]
        passages = [[self._passage(context)] for _, context in asked]
        found = self.reader.read_batch([question for question, _ in asked], passages, top_k=1)
        return [self._best(spans) for spans in found]

    def _passage(self, context: str) -> Passage:
        # Only a checkpoint with language embeddings asks for the language.
        language = None if self.reader.settings.languages is None else detect_language(context)
        return Passage(id="context", document_id="context", text=context, start=0, language=language)

    def _best(self, spans: Sequence[AnswerSpan]) -> PipelineAnswer:
        if not spans:
            return {"score": 0.0, "start": 0, "end": 0, "answer": ""}
        span = spans[0]
        score = self.reader.calibration.probability(span.score, span.no_answer_score, float("nan"))
        return {"score": float(score), "start": span.start, "end": span.end, "answer": span.text}


def question_answering(model: str | Path | None = None, *, device: str = "auto") -> QuestionAnswering:
    """Load a reader (see ``load_reader``) as a callable that answers questions about given texts.

    It takes ``{"question": ..., "context": ...}``, a list of such mappings, or ``question=`` and ``context=``, and
    gives ``{"score", "start", "end", "answer"}`` or a list of them.
    """
    return QuestionAnswering(load_reader(model, device=device))


def _validated(given: Mapping[str, str]) -> tuple[str, str]:
    if not isinstance(given, Mapping) or not {"question", "context"} <= set(given):
        raise UsageError(f"give {{'question': ..., 'context': ...}}, not {str(given)[:60]!r}")
    question, context = given["question"], given["context"]
    if not isinstance(question, str) or not isinstance(context, str):
        kinds = f"{type(question).__name__} and {type(context).__name__}"
        raise UsageError(f"question and context must be texts, not {kinds}")
    try:
        context.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the context holds a lone surrogate at character {error.start + 1}: give valid Unicode text"
        ) from None
    return validate_question(question), context
