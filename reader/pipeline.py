"""Question answering on a given text, in the place of the pipeline that transformers dropped in 5.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

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

    def __call__(
        self,
        inputs: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
        /,
        *,
        question: str | Sequence[str] | None = None,
        context: str | Sequence[str] | None = None,
        top_k: int = 1,
        max_answer_len: int | None = None,
        max_question_len: int | None = None,
        max_seq_len: int | None = None,
        doc_stride: int | None = None,
        handle_impossible_answer: bool = False,
    ) -> Any:
        """Answer one question (a mapping or keywords) with one answer, and a list of them with a list, in their order.

        With ``top_k`` above 1 each question has a list of at most so many answers, best first, in place of one. Lengths
        are in tokens, ``doc_stride`` being what two windows share; where left out, the reader's own hold. With
        ``handle_impossible_answer`` the empty answer, scored with the probability that no other is right, is one of
        them. Raise QuestionError for an empty or over-long question, UsageError (a ValueError, as the old pipeline
        raised) for anything else that cannot be read so.
        """
        asked, is_one = _asked(inputs, question, context)
        _check_at_least("top_k", top_k, 1)
        reader = self._reader(max_answer_len, max_question_len, max_seq_len, doc_stride)
        passages = [[self._passage(text)] for _, text in asked]
        found = reader.read_batch([words for words, _ in asked], passages, top_k=top_k)
        answers = [self._answers(spans, top_k, handle_impossible_answer) for spans in found]
        shaped = [given[0] if top_k == 1 else given for given in answers]
        return shaped[0] if is_one else shaped

    def _reader(
        self, max_answer_len: int | None, max_question_len: int | None, max_seq_len: int | None, doc_stride: int | None
    ) -> XlmReader:
        given = {"question": max_question_len, "window": max_seq_len, "overlap": doc_stride}
        changed = {name: size for name, size in given.items() if size is not None}
        if not changed and max_answer_len is None:
            return self.reader
        own = self.reader.settings
        for name, size in {"max_answer_len": max_answer_len, **changed}.items():
            if size is not None:
                _check_at_least(name, size, 0 if name == "overlap" else 1)
        limits = replace(own.limits, **changed)
        if limits.window > own.limits.window:
            raise UsageError(
                f"max_seq_len is {limits.window}, and this reader takes windows of at most {own.limits.window} tokens"
            )
        longest = own.max_answer_tokens if max_answer_len is None else max_answer_len
        return self.reader.with_settings(limits=limits, max_answer_tokens=longest)

    def _passage(self, context: str) -> Passage:
        # Only a checkpoint with language embeddings asks for the language.
        language = None if self.reader.settings.languages is None else detect_language(context)
        return Passage(id="context", document_id="context", text=context, start=0, language=language)

    def _answers(self, spans: Sequence[AnswerSpan], top_k: int, with_impossible: bool) -> list[PipelineAnswer]:
        probability = self.reader.calibration.probability
        answers: list[PipelineAnswer] = [
            {
                "score": float(probability(span.score, span.no_answer_score, float("nan"))),
                "start": span.start,
                "end": span.end,
                "answer": span.text,
            }
            for span in spans
        ]
        if with_impossible:
            best = max((answer["score"] for answer in answers), default=0.0)
            answers.append({"score": 1.0 - best, "start": 0, "end": 0, "answer": ""})
        if not answers:
            return [{"score": 0.0, "start": 0, "end": 0, "answer": ""}]
        return sorted(answers, key=lambda answer: -answer["score"])[:top_k]


def question_answering(
    model: str | Path | None = None, *, device: str = "auto", allow_pickle: bool = False
) -> QuestionAnswering:
    """Load a reader (see ``load_reader``) as a callable that answers questions about given texts.

    It takes ``{"question": ..., "context": ...}``, a list of such mappings, or ``question=`` and ``context=``, and
    gives ``{"score", "start", "end", "answer"}`` or a list of them; ``top_k`` and the other parameters are those of
    ``QuestionAnswering.__call__``.
    """
    return QuestionAnswering(load_reader(model, device=device, allow_pickle=allow_pickle))


def pipeline(
    task: str,
    model: str | Path | None = None,
    tokenizer: str | Path | None = None,
    *,
    device: int | str | None = None,
) -> QuestionAnswering:
    """Take the place of ``transformers.pipeline("question-answering", ...)`` in code that was written for it.

    A reader brings its own tokenizer, so ``tokenizer`` may only name the model again. ``device`` is -1 or "cpu" for the
    CPU, a number or "cuda" for the GPU; where left out, the GPU where there is one. Raise UsageError for another task
    or tokenizer.
    """
    if task != "question-answering":
        raise UsageError(f"the task is {task!r}: only 'question-answering' is done here")
    if tokenizer is not None and str(tokenizer) != str(model):
        raise UsageError(f"the tokenizer is {tokenizer!r}, and a reader brings its own: leave it out or name the model")
    if isinstance(device, int):
        device = "cpu" if device < 0 else "cuda"
    return question_answering(model, device="auto" if device is None else device)


def _check_at_least(name: str, value: int, least: int) -> None:
    """Raise UsageError where ``value`` is not a whole number from ``least`` on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} is {value!r}: give a whole number from {least}")


def _asked(
    inputs: Mapping[str, str] | Sequence[Mapping[str, str]] | None,
    question: str | Sequence[str] | None,
    context: str | Sequence[str] | None,
) -> tuple[list[tuple[str, str]], bool]:
    """Return the pairs of question and context, and whether one answer is wanted rather than a list."""
    if inputs is not None:
        if question is not None or context is not None:
            raise UsageError("give the question either in a mapping or by keywords, not both")
        is_one = isinstance(inputs, Mapping)
        return [_validated(each) for each in ([inputs] if isinstance(inputs, Mapping) else inputs)], is_one
    if question is None or context is None:
        raise UsageError("give a question and a context: {'question': ..., 'context': ...}")
    if isinstance(question, str) and isinstance(context, str):
        return [_validated({"question": question, "context": context})], True
    questions = [question] if isinstance(question, str) else list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    questions = questions * len(contexts) if isinstance(question, str) else questions
    if len(questions) != len(contexts):
        raise UsageError(f"{len(questions)} questions do not go with {len(contexts)} contexts: give as many of both")
    return [_validated({"question": q, "context": c}) for q, c in zip(questions, contexts, strict=True)], False


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
