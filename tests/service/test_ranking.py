"""Ranking: each text once, each place once, the best kept, whatever the order of the candidates."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import Passage, SpanglotError
from indexer.passages import RetrievedPassage
from reader.spans import AnswerSpan
from service.answers import Answer
from service.ranking import (
    Candidate,
    answer_key,
    no_answer_probability,
    rank_answers,
    score_candidates,
    source_name,
)
from service.searching import retrieval_margins


def passage(text: str, document: str = "d", start: int = 0, source: str = "-") -> Passage:
    return Passage(id=f"{document}@{start}", document_id=document, text=text, start=start, source=source)


def candidate(inside: Passage, words: str, score: float, *, nth: int = 0) -> Candidate:
    start = -1
    for _ in range(nth + 1):
        start = inside.text.index(words, start + 1)
    span = AnswerSpan(passage=inside, start=start, end=start + len(words), score=score * 10, no_answer_score=0.0)
    return Candidate(span=span, retrieval_score=0.5, score=score)


def summary(answers: Sequence[Answer]) -> list[tuple[str, float, int]]:
    return [(answer.text, answer.score, answer.support) for answer in answers]


def test_answers_come_by_probability_and_only_as_many_as_wanted() -> None:
    inside = passage("Ada met Bob and Cleo in Delhi")
    found = [candidate(inside, "Bob", 0.2), candidate(inside, "Delhi", 0.9), candidate(inside, "Cleo", 0.4)]
    assert summary(rank_answers(found, 2)) == [("Delhi", 0.9, 1), ("Cleo", 0.4, 1)]


def test_the_same_words_in_two_documents_are_one_answer_with_support_two() -> None:
    first, second = passage("born in PARIS.", "a"), passage("the city of Paris", "b")
    found = [candidate(first, "PARIS.", 0.6), candidate(second, "Paris", 0.7)]
    assert summary(rank_answers(found, 3)) == [("Paris", 0.7, 2)]


def test_the_same_words_at_two_places_of_one_document_count_twice() -> None:
    inside = passage("Paris is old; Paris is large")
    found = [candidate(inside, "Paris", 0.6), candidate(inside, "Paris", 0.5, nth=1)]
    assert summary(rank_answers(found, 3)) == [("Paris", 0.6, 2)]


def test_overlapping_passages_that_show_the_same_characters_count_once() -> None:
    # Document "One. In Paris. End.": both passages hold its characters 8 to 13.
    first, second = passage("One. In Paris.", start=0), passage("In Paris. End.", start=5)
    found = [candidate(first, "Paris", 0.6), candidate(second, "Paris", 0.7)]
    (answer,) = rank_answers(found, 3)
    assert (answer.start, answer.end, answer.score, answer.support) == (8, 13, 0.7, 1)
    assert answer.passage is second


def test_of_overlapping_spans_the_better_is_kept() -> None:
    inside = passage("the battle of Hastings in 1066")
    found = [candidate(inside, "battle of Hastings", 0.5), candidate(inside, "Hastings in 1066", 0.6)]
    assert summary(rank_answers(found, 3)) == [("Hastings in 1066", 0.6, 1)]


def test_spans_that_only_touch_do_not_overlap() -> None:
    inside = passage("東京大学")
    assert len(rank_answers([candidate(inside, "東京", 0.5), candidate(inside, "大学", 0.6)], 3)) == 2


def test_spans_at_the_same_offsets_of_two_documents_do_not_overlap() -> None:
    found = [candidate(passage("Rome", "a"), "Rome", 0.5), candidate(passage("Oslo", "b"), "Oslo", 0.6)]
    assert summary(rank_answers(found, 3)) == [("Oslo", 0.6, 1), ("Rome", 0.5, 1)]


def test_a_place_hidden_by_a_better_span_still_supports_its_words_elsewhere() -> None:
    first, second = passage("in 1903", "a"), passage("1903", "b")
    found = [candidate(first, "in 1903", 0.8), candidate(first, "1903", 0.7), candidate(second, "1903", 0.6)]
    assert summary(rank_answers(found, 3)) == [("in 1903", 0.8, 1), ("1903", 0.6, 2)]


def test_equal_scores_are_ordered_by_document_and_place() -> None:
    one, two = passage("Rome Oslo", "b"), passage("Bern", "a")
    found = [candidate(one, "Oslo", 0.5), candidate(one, "Rome", 0.5), candidate(two, "Bern", 0.5)]
    assert [answer.text for answer in rank_answers(found, 3)] == ["Bern", "Rome", "Oslo"]


def test_offsets_count_in_the_document() -> None:
    inside = passage("and Bern too", start=100)
    (answer,) = rank_answers([candidate(inside, "Bern", 0.5)], 1)
    assert (answer.start, answer.end) == (104, 108)


def test_empty_and_blank_spans_are_no_answers() -> None:
    inside = passage("a   b")
    assert rank_answers([candidate(inside, "", 0.9), candidate(inside, "   ", 0.8)], 3) == ()


def test_two_answers_of_punctuation_only_stay_apart() -> None:
    inside = passage("! ?")
    assert len(rank_answers([candidate(inside, "!", 0.9), candidate(inside, "?", 0.8)], 3)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", "paris."),
        ("«Ａｎｎａ»", "anna"),
        ("1 900", "1\u00a0900"),
        ("STRASSE", "straße"),
        ("cafe\u0301", "café"),
        ("（東京）", "東京"),
    ],
)
def test_equal_answers_have_equal_keys(one: str, other: str) -> None:
    assert answer_key(one) == answer_key(other)


@pytest.mark.parametrize(("one", "other"), [("1.5", "15"), ("Ada", "Ade"), ("cafe", "café"), ("!", "?")])
def test_different_answers_have_different_keys(one: str, other: str) -> None:
    assert answer_key(one) != answer_key(other)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert answer_key(answer_key(text)) == answer_key(text)


@given(st.text(min_size=1))
def test_a_key_does_not_tell_composed_from_decomposed(text: str) -> None:
    assert answer_key(unicodedata.normalize("NFD", text)) == answer_key(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("source", "name"), [("-", "-"), ("/corpus/el/a.jsonl", "a.jsonl"), ("b.md", "b.md"), ("", "")]
)
def test_a_source_is_shown_by_its_file_name(source: str, name: str) -> None:
    assert source_name(source) == name


def test_nothing_found_means_that_surely_nothing_answers() -> None:
    assert rank_answers([], 3) == ()
    assert no_answer_probability(()) == 1.0


def test_no_answer_is_what_the_best_score_leaves() -> None:
    inside = passage("Ada met Bob")
    answers = rank_answers([candidate(inside, "Ada", 0.25), candidate(inside, "Bob", 0.125)], 3)
    assert no_answer_probability(answers) == 0.75


class Halver:
    """A calibration that shows what it was given: half of the retrieval margin, plus the difference of the others.

    A passage that was given counts as one with the margin 1.
    """

    def probability(self, span_score: object, no_answer_score: object, retrieval_margin: object) -> np.ndarray:
        margin = np.nan_to_num(np.asarray(retrieval_margin), nan=1.0)
        return margin / 2 + np.asarray(span_score) - np.asarray(no_answer_score)


def spans(*scores: tuple[float, float]) -> list[AnswerSpan]:
    inside = passage("Ada met Bob")
    return [AnswerSpan(passage=inside, start=0, end=3, score=one, no_answer_score=two) for one, two in scores]


def test_each_span_is_calibrated_with_the_score_of_its_own_passage() -> None:
    scored = score_candidates(spans((0.25, 0.125), (0.5, 0.25)), [(0.9, 0.5), (0.7, 0.25)], Halver())
    assert [item.score for item in scored] == [0.375, 0.375]
    assert [item.retrieval_score for item in scored] == [0.9, 0.7]


def found(*scores: float) -> list[RetrievedPassage]:
    return [
        RetrievedPassage(passage=passage("Ada met Bob"), score=score, rank=rank, dense_score=score)
        for rank, score in enumerate(scores, start=1)
    ]


def test_a_margin_is_over_the_mean_of_what_was_found_in_deviations() -> None:
    # Mean 0.25, deviation sqrt((0.0625 + 0 + 0.0625) / 3) = 0.204124, and 0.02 more.
    assert retrieval_margins(found(0.5, 0.25, 0.0), 3) == pytest.approx([1.115454, 0.0, -1.115454], abs=1e-6)
    # Passages that the index does not have count as unrelated: mean 0.15, deviation 0.2 of 0.5, 0.25, 0, 0, 0.
    assert retrieval_margins(found(0.5, 0.25, 0.0), 5) == pytest.approx([0.35 / 0.22, 0.1 / 0.22, -0.15 / 0.22])
    assert retrieval_margins(found(0.5), 2) == pytest.approx([0.25 / 0.27])
    assert retrieval_margins(found(0.5, 0.5), 2) == [0.0, 0.0]
    assert retrieval_margins([], 20) == []


def test_a_passage_that_was_given_is_told_from_a_retrieved_one() -> None:
    (scored,) = score_candidates(spans((0.25, 0.0)), [None], Halver())
    assert (scored.score, scored.retrieval_score) == (0.75, None)


def test_probabilities_stay_between_zero_and_one() -> None:
    scored = score_candidates(spans((9.0, 0.0), (0.0, 9.0)), [(0.0, 0.0)] * 2, Halver())
    assert [item.score for item in scored] == [1.0, 0.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(SpanglotError, match="not a number"):
        score_candidates(spans((bad, 0.0)), [(0.5, 0.5)], Halver())


def test_no_spans_need_no_calibration() -> None:
    assert score_candidates([], [], Halver()) == []


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Spans of overlapping passages of two small documents, with few letters and few scores so that all clash."""
    documents = {name: draw(st.text("abA .", min_size=4, max_size=12)) for name in ("d", "e")}
    found = []
    for _ in range(draw(st.integers(0, 12))):
        name = draw(st.sampled_from(["d", "e"]))
        text = documents[name]
        begin, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        inside = passage(text[begin:end], name, begin)
        first, last = sorted((draw(st.integers(0, end - begin)), draw(st.integers(0, end - begin))))
        raw = draw(st.sampled_from([1.0, 2.0]))
        span = AnswerSpan(passage=inside, start=first, end=last, score=raw, no_answer_score=0.0)
        found.append(Candidate(span=span, retrieval_score=0.5, score=draw(st.sampled_from([0.25, 0.5, 0.75]))))
    return found


@given(candidates(), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(found: list[Candidate], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank_answers(shuffled, 5) == rank_answers(found, 5)


@given(candidates())
def test_answers_are_apart_in_text_and_place_and_point_at_their_words(found: list[Candidate]) -> None:
    answers = rank_answers(found, 100)
    assert len({answer_key(answer.text) for answer in answers}) == len(answers)
    for number, answer in enumerate(answers):
        inside = answer.passage
        assert inside.text[answer.start - inside.start : answer.end - inside.start] == answer.text
        assert all(
            answer.end <= other.start or other.end <= answer.start
            for other in answers[:number]
            if other.document_id == answer.document_id
        )
    assert [answer.score for answer in answers] == sorted((answer.score for answer in answers), reverse=True)


@given(candidates())
def test_a_shorter_list_is_the_beginning_of_the_longer_one(found: list[Candidate]) -> None:
    assert rank_answers(found, 2) == rank_answers(found, 100)[:2]


@given(candidates())
def test_the_best_candidate_is_never_lost(found: list[Candidate]) -> None:
    best = max((item.score for item in found if item.span.text.strip()), default=None)
    answers = rank_answers(found, 1)
    assert (answers[0].score if answers else None) == best


@given(candidates())
def test_repeating_a_candidate_changes_nothing(found: list[Candidate]) -> None:
    assert rank_answers(found + found, 100) == rank_answers(found, 100)
