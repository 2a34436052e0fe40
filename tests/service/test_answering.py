"""Questions to answers over a small real index."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from corpora import Document, Passage, QuestionError, UsageError
from indexer import Index, IndexNotFound
from reader import AnswerSpan, ReaderError
from service.answering import QuestionAnswerer
from service.opening import DiskIndex
from service.protocols import Reader
from service.settings import AnswerSettings

ASKED = "When was the canal opened?"


def test_the_words_that_answer_come_first_with_their_place(answerer: QuestionAnswerer) -> None:
    result = answerer.answer(ASKED)
    best = result.answers[0]
    assert (best.text, best.document_id, best.title, best.language) == ("1869", "en-canal", "The canal", "en")
    # "was", "the", "canal" and "opened" are in common: four quarters.
    assert best.score == 1.0
    assert best.span_score == 4.0
    assert (result.answered, result.no_answer) == (True, 0.0)


def test_the_source_is_a_file_name_and_nothing_of_its_folder(answerer: QuestionAnswerer) -> None:
    assert answerer.answer(ASKED).answers[0].source == "canals.jsonl"
    assert answerer.search("ข้าวหอมมะลิ").passages[0].passage.source == "-"


def test_equal_words_of_two_documents_are_one_answer(answerer: QuestionAnswerer) -> None:
    everything = QuestionAnswerer(answerer.index, answerer.reader, AnswerSettings(read_first=10))
    answers = everything.answer(ASKED, top_k=10).answers
    assert {answer.text: answer.support for answer in answers}["1869"] == 2
    assert len({answer.text for answer in answers}) == len(answers)


class CountingReader:
    """Keeps how many passages of each question a reader was given."""

    def __init__(self, reader: Reader) -> None:
        self.name = reader.name
        self.calibration = reader.calibration
        self.given: list[list[int]] = []
        self._reader = reader

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        self.given.append([len(group) for group in passages])
        return self._reader.read_batch(questions, passages, top_k=top_k)


def test_only_questions_without_a_sure_answer_have_more_passages_read(answerer: QuestionAnswerer) -> None:
    counting = CountingReader(answerer.reader)
    settings = AnswerSettings(read_first=2, read_passages=5, sure=0.9)
    results = QuestionAnswerer(answerer.index, counting, settings).answer_batch([ASKED, "Quiet?"])
    assert results[0].answers[0].score == 1.0
    assert counting.given == [[2, 2], [3]]
    alone = QuestionAnswerer(answerer.index, answerer.reader, settings).answer("Quiet?")
    assert alone.answers == results[1].answers


def test_a_trace_says_what_was_retrieved_and_read(answerer: QuestionAnswerer) -> None:
    settings = AnswerSettings(retrieved_passages=6, read_first=2, read_passages=5, sure=0.9)
    sure, unsure = QuestionAnswerer(answerer.index, answerer.reader, settings).trace_batch([ASKED, "Quiet?"])
    assert (sure.read, unsure.read) == (2, 5)
    found = answerer.search(ASKED, 6).passages
    assert [item.passage.id for item in sure.retrieved] == [item.passage.id for item in found]
    assert answerer.trace_batch([]) == []


@pytest.mark.parametrize("question", [ASKED, "Wer hat die Orgel gebaut, und wann?", "How long is the canal?"])
def test_offsets_count_in_the_document(answerer: QuestionAnswerer, question: str) -> None:
    answers = answerer.answer(question, top_k=10).answers
    assert answers
    for answer in answers:
        assert answerer.document(answer.document_id).text[answer.start : answer.end] == answer.text


def test_below_the_threshold_the_candidates_stay(answerer: QuestionAnswerer) -> None:
    result = answerer.answer("Who painted the ceiling?")
    assert not result.answered
    assert result.answers
    assert result.no_answer == 1.0 - result.answers[0].score > 0.5


def test_the_threshold_is_the_calibrations_where_it_has_one(answerer: QuestionAnswerer) -> None:
    settings = AnswerSettings(threshold=0.9)
    assert QuestionAnswerer(answerer.index, answerer.reader, settings).threshold == 0.5


class Uncalibrated:
    def probability(self, span_score: object, no_answer_score: object, retrieval_margin: object) -> object:
        return span_score


def test_the_threshold_is_the_settings_where_the_calibration_has_none(answerer: QuestionAnswerer) -> None:
    class Plain:
        name = "plain"
        calibration = Uncalibrated()
        read_batch = None

    assert QuestionAnswerer(answerer.index, Plain(), AnswerSettings(threshold=0.9)).threshold == 0.9  # type: ignore[arg-type]


def test_a_batch_gives_what_single_questions_give(answerer: QuestionAnswerer) -> None:
    questions = [ASKED, "Wann wurde die Orgel gebaut?", "How long is the canal?"]
    together = answerer.answer_batch(questions, top_k=2)
    assert [result.question for result in together] == questions
    for result, question in zip(together, questions, strict=True):
        alone = answerer.answer(question, top_k=2)
        assert [(found.text, found.score, found.start) for found in result.answers] == [
            (found.text, found.score, found.start) for found in alone.answers
        ]


def test_no_questions_give_no_results(answerer: QuestionAnswerer) -> None:
    assert answerer.answer_batch([]) == []


def test_as_many_answers_as_wanted(answerer: QuestionAnswerer) -> None:
    assert len(answerer.answer(ASKED, top_k=1).answers) == 1
    assert len(answerer.answer(ASKED, top_k=100).answers) == 3


@pytest.mark.parametrize("top_k", [0, -1, 101, True, 1.5])
def test_an_impossible_number_of_answers_is_refused(answerer: QuestionAnswerer, top_k: int) -> None:
    for call in (answerer.answer, answerer.search):
        with pytest.raises(UsageError, match="from 1 to 100"):
            call(ASKED, top_k)
    with pytest.raises(UsageError, match="from 1 to 100"):
        answerer.read(ASKED, "It opened in 1869.", top_k)


@pytest.mark.parametrize(
    "question", ["", " \n\u3000", "x" * 2001, "a\ud800"], ids=["empty", "blank", "long", "surrogate"]
)
def test_an_impossible_question_is_refused(answerer: QuestionAnswerer, question: str) -> None:
    with pytest.raises(QuestionError):
        answerer.answer(question)
    with pytest.raises(QuestionError):
        answerer.search(question)


def test_the_bad_question_of_a_batch_is_named(answerer: QuestionAnswerer) -> None:
    with pytest.raises(QuestionError, match="question 2 of 3"):
        answerer.answer_batch([ASKED, " ", ASKED])


def test_the_language_of_the_question_is_told(answerer: QuestionAnswerer) -> None:
    assert answerer.answer("Wann wurde die Orgel in Lindau gebaut?").language == "de"


def test_times_are_told_by_stage(answerer: QuestionAnswerer) -> None:
    timings = answerer.answer(ASKED).timings
    assert timings.retrieve_ms is not None
    assert timings.read_ms is not None
    assert timings.rank_ms is not None
    assert 0 < timings.retrieve_ms + timings.read_ms + timings.rank_ms <= timings.total_ms


def test_the_index_is_named(answerer: QuestionAnswerer, documents: tuple[Document, ...]) -> None:
    info = answerer.answer(ASKED).index
    assert info is not None
    assert (info.name, info.generation, info.documents) == ("small-index", 1, len(documents))
    assert info.embedder == "character-trigrams"


def test_a_search_ranks_the_passage_with_the_words_first(answerer: QuestionAnswerer) -> None:
    result = answerer.search("ทุ่งกุลาร้องไห้", top_k=2)
    assert [found.rank for found in result.passages] == [1, 2]
    assert result.passages[0].passage.document_id == "th-rice"
    assert len(answerer.search(ASKED, top_k=100).passages) == result.index.passages


def test_a_given_text_is_read_without_the_index(answerer: QuestionAnswerer) -> None:
    context = "🎹 Built late. The tower was finished in 1911."
    result = answerer.read("When was the tower finished?", context)
    (best,) = result.answers
    assert (best.text, context[best.start : best.end]) == ("1911", "1911")
    assert (best.document_id, best.retrieval_score, result.index) == ("context", None, None)
    assert result.timings.retrieve_ms is None


@pytest.mark.parametrize("context", ["", " \t", "x" * 200_001, "a\udfff"], ids=["empty", "blank", "long", "surrogate"])
def test_an_impossible_context_is_refused(answerer: QuestionAnswerer, context: str) -> None:
    with pytest.raises(UsageError, match="context"):
        answerer.read(ASKED, context)


def test_nothing_retrieved_means_no_answer(
    answerer: QuestionAnswerer, monkeypatch: pytest.MonkeyPatch, index_directory: Path, embedder: object
) -> None:
    class Finder:
        def retrieve_batch(
            self, questions: list[str], top_k: int = 20, mode: str = "hybrid", only: object = None
        ) -> list[list[object]]:
            return [[] for _ in questions]

    class Empty(DiskIndex):
        retriever = Finder()  # type: ignore[assignment]

    empty = Empty(Index.open(index_directory, embedder=embedder))  # type: ignore[arg-type]
    with QuestionAnswerer(empty, answerer.reader) as nothing:
        result = nothing.answer(ASKED)
    assert (result.answered, result.answers, result.no_answer) == (False, (), 1.0)


def test_opening_takes_a_loaded_reader(index_directory: Path, answerer: QuestionAnswerer) -> None:
    with QuestionAnswerer.open(index_directory, reader=answerer.reader) as opened:
        assert opened.reader is answerer.reader


def test_a_reader_that_cannot_be_loaded_leaves_no_file_of_the_index_open(index_directory: Path, tmp_path: Path) -> None:
    def opened() -> list[str]:
        named = (os.path.realpath(entry) for entry in Path("/dev/fd").iterdir())
        return sorted(name for name in named if name.startswith(str(index_directory)))

    before = opened()
    with pytest.raises(ReaderError, match="no reader there"):
        QuestionAnswerer.open(index_directory, reader=tmp_path)
    assert opened() == before


def test_a_folder_without_an_index_cannot_be_opened(tmp_path: Path, answerer: QuestionAnswerer) -> None:
    with pytest.raises(IndexNotFound, match=tmp_path.name):
        QuestionAnswerer.open(tmp_path, reader=answerer.reader)
