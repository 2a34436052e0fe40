"""The callable that takes the place of transformers' question-answering pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.documents import Passage
from corpora.errors import QuestionError, UsageError
from reader.calibration import Calibration
from reader.pipeline import PipelineAnswer, QuestionAnswering, pipeline, question_answering

QUESTION = "When was the bridge built?"
CONTEXT = "  The long river crosses the old town. The bridge of stone was built in 1,342 by John O'Neil & Sons..."


def rounded(answer: PipelineAnswer) -> PipelineAnswer:
    """Other windows in the batch change the last digits of a score."""
    return {**answer, "score": round(answer["score"], 5)}


@pytest.fixture(scope="module")
def ask(beam_checkpoint: Path) -> QuestionAnswering:
    return question_answering(beam_checkpoint, device="cpu")


def test_a_mapping_and_keywords_give_one_answer(ask: QuestionAnswering) -> None:
    answer = ask({"question": QUESTION, "context": CONTEXT})
    assert list(answer) == ["score", "start", "end", "answer"]
    assert answer["answer"] == CONTEXT[answer["start"] : answer["end"]] != ""
    assert 0 < answer["score"] < 1
    assert ask(question=QUESTION, context=CONTEXT) == answer


def test_code_written_for_the_old_pipeline_runs_with_one_import_changed(language_checkpoint: Path) -> None:
    # The form in which the founding model's card shows it: model and tokenizer by one name, then mappings.
    qa_pipeline = pipeline("question-answering", model=str(language_checkpoint), tokenizer=str(language_checkpoint))
    for question, context in (
        ("Who mends the clock?", "Ada Brenner has mended the clock of Lindau since 1931."),
        ("घड़ी कौन ठीक करती है?", "आदा ब्रेनर 1931 से लिंडाउ की घड़ी ठीक करती हैं।"),
    ):
        answer = qa_pipeline({"context": context, "question": question})
        assert answer["answer"] == context[answer["start"] : answer["end"]] != ""
        assert 0 <= answer["score"] <= 1


def test_another_task_or_tokenizer_is_refused(beam_checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="'summarization': only 'question-answering'"):
        pipeline("summarization", model=beam_checkpoint)
    with pytest.raises(UsageError, match=r"'other'.*brings its own"):
        pipeline("question-answering", model=beam_checkpoint, tokenizer="other")
    assert pipeline("question-answering", beam_checkpoint, device=-1)(question="who?", context="Ada")["answer"]


def test_a_list_gives_a_list_in_its_order(ask: QuestionAnswering) -> None:
    short = {"question": "What is built of stone?", "context": "a bridge"}
    long = {"question": QUESTION, "context": CONTEXT}
    answers = ask([short, long, short])
    assert isinstance(answers, list)
    assert answers[0] == answers[2]
    assert all(each["answer"] in given["context"] for each, given in zip(answers, (short, long, short), strict=True))
    assert (answers[1]["start"], answers[1]["end"]) == (ask(long)["start"], ask(long)["end"])
    assert ask([]) == []


def test_the_score_is_the_calibrated_probability_of_a_given_passage(ask: QuestionAnswering) -> None:
    fitted = Calibration(bias=-0.1, span=0.02, no_answer=0.03, retrieval=1.5, given=0.75, threshold=0.5)
    calibrated = QuestionAnswering(ask.reader.with_settings(calibration=fitted))
    (span,) = ask.reader.read(QUESTION, [Passage(id="x", document_id="x", text=CONTEXT, start=0)], top_k=1)
    expected = float(fitted.probability(span.score, span.no_answer_score, 0.75))
    assert abs(expected - fitted.probability(span.score, span.no_answer_score, 0.0)) > 0.01
    assert calibrated(question=QUESTION, context=CONTEXT)["score"] == pytest.approx(expected, abs=1e-6)


def test_a_checkpoint_with_language_embeddings_detects_the_language(language_checkpoint: Path) -> None:
    ask = question_answering(str(language_checkpoint), device="cpu")
    assert ask(question=QUESTION, context=CONTEXT)["answer"]


@pytest.mark.parametrize("context", ["", " \n", "\u200b"])
def test_a_context_without_words_has_an_empty_answer(ask: QuestionAnswering, context: str) -> None:
    assert ask(question=QUESTION, context=context) == {"score": 0.0, "start": 0, "end": 0, "answer": ""}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"question": " ", "context": "x"}, QuestionError),
        ({"question": "x" * 2001, "context": "x"}, QuestionError),
        ({"question": "\ud800", "context": "x"}, QuestionError),
        ({"question": "who", "context": "a\ud800"}, UsageError),
        ({"question": "who", "context": None}, UsageError),
        ({"question": None, "context": "x"}, UsageError),
        ({"question": "who"}, UsageError),
        (["who"], UsageError),
        ("who", UsageError),
    ],
)
def test_bad_input_is_refused_in_one_line(ask: QuestionAnswering, given: object, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        ask(given)  # type: ignore[call-overload]
    assert "\n" not in str(caught.value)


def test_a_question_comes_in_one_way(ask: QuestionAnswering) -> None:
    with pytest.raises(UsageError, match="give a question and a context"):
        ask(question=QUESTION)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="not both"):
        ask({"question": QUESTION, "context": CONTEXT}, question=QUESTION)  # type: ignore[call-overload]


def test_top_k_gives_each_question_a_list_best_first(ask: QuestionAnswering) -> None:
    given = {"question": QUESTION, "context": CONTEXT}
    answers = ask(given, top_k=3)
    assert [answer["score"] for answer in answers] == sorted((answer["score"] for answer in answers), reverse=True)
    assert len({(answer["start"], answer["end"]) for answer in answers}) == 3
    assert answers[0] == ask(given)
    for together in ask([given, given], top_k=3):
        assert [rounded(answer) for answer in together] == [rounded(answer) for answer in answers]


def test_lists_by_keywords_go_together_and_one_context_serves_all(ask: QuestionAnswering) -> None:
    questions = [QUESTION, "What is built of stone?"]
    both = ask(question=questions, context=CONTEXT)
    assert [rounded(each) for each in both] == [rounded(ask(question=each, context=CONTEXT)) for each in questions]
    assert rounded(ask(question=QUESTION, context=["a bridge", CONTEXT])[1]) == rounded(both[0])
    with pytest.raises(UsageError, match="2 questions do not go with 1 contexts"):
        ask(question=questions, context=[CONTEXT])


def test_an_answer_is_no_longer_than_asked(ask: QuestionAnswering) -> None:
    long, short = (ask(question=QUESTION, context=CONTEXT, top_k=20, max_answer_len=most) for most in (30, 1))
    assert max(len(answer["answer"]) for answer in short) < max(len(answer["answer"]) for answer in long)


def test_small_windows_still_show_the_whole_context(ask: QuestionAnswering) -> None:
    context = f"{'old town ' * 60}bridge"
    answers = ask(question="What?", context=context, top_k=1000, max_answer_len=1, max_seq_len=24, doc_stride=4)
    assert max(answer["end"] for answer in answers) > len(context) - 7


def test_the_empty_answer_has_the_probability_of_no_other(ask: QuestionAnswering) -> None:
    fitted = Calibration(bias=-9.0, span=0.01, no_answer=0.0, retrieval=0.0, given=0.0, threshold=0.5)
    unsure = QuestionAnswering(ask.reader.with_settings(calibration=fitted))
    plain = unsure(question=QUESTION, context=CONTEXT)
    empty = unsure(question=QUESTION, context=CONTEXT, handle_impossible_answer=True)
    assert empty == {"score": pytest.approx(1 - plain["score"]), "start": 0, "end": 0, "answer": ""}


@pytest.mark.parametrize(
    "given", [{"top_k": 0}, {"max_answer_len": 0}, {"doc_stride": -1}, {"max_seq_len": 10**6}, {"max_seq_len": "x"}]
)
def test_a_size_that_cannot_be_is_a_value_error_that_names_it(ask: QuestionAnswering, given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(given.values())))):
        ask(question=QUESTION, context=CONTEXT, **given)
