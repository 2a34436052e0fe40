"""Spans worked by hand from hand-made logits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.decoding import CharacterSpan, TokenSpan, WindowLogits, best_spans, decode_window, to_characters


def logits(start: list[float], ends: dict[int, list[float]], totals: list[float] | None = None) -> WindowLogits:
    """Return logits of a window whose beams are the keys of ``ends``, in that order."""
    return WindowLogits(
        start_logits=np.array(start, np.float32),
        starts=np.array(list(ends), np.int64),
        end_logits=np.array(list(ends.values()), np.float32),
        end_totals=np.zeros(len(ends), np.float32) if totals is None else np.array(totals, np.float32),
        null_score=0.0,
        class_logit=0.0,
    )


def decode(
    given: WindowLogits, first: int, stop: int, longest: int = 30, n_best: int = 3
) -> list[tuple[float, int, int]]:
    spans = decode_window(given, first, stop, max_answer_tokens=longest, n_best=n_best)
    return [(span.score, span.first, span.last) for span in spans]


def test_an_end_counts_by_its_share_of_the_ends_of_its_start() -> None:
    # The second start has the larger end logits, but they are all alike: its best end is one of three, log(1/3).
    ends = {1: [0.0, 2.0, 0.0, 0.0], 2: [0.0, 9.0, 9.0, 9.0]}
    totals = [float(np.log(np.exp(2) + 3)), float(np.log(1 + 3 * np.exp(9)))]
    found = decode(logits([0.0, 5.0, 4.5, 0.0], ends, totals), 1, 4, n_best=1)
    assert found == [(pytest.approx(5 + 2 - totals[0], abs=1e-5), 1, 1)]


def test_each_start_is_paired_with_its_own_ends() -> None:
    #                 cls    q    a    b    c  sep
    given = logits(
        [0, 0, 3, 1, 2, 0],
        {2: [0, 0, 0, 1, 0, 0], 4: [0, 0, 0, 0, 5, 0], 3: [0, 0, 9, 0, 2, 0]},
    )
    # a: 3+0, a-b: 3+1, a-c: 3+0; c: 2+5; b: 1+0, b-c: 1+2. The 9 is an end before its start.
    assert decode(given, 2, 5, n_best=6) == [(7, 4, 4), (4, 2, 3), (3, 2, 2), (3, 2, 4), (3, 3, 4), (1, 3, 3)]


def test_nothing_outside_the_passage_is_an_answer() -> None:
    given = logits([9, 9, 0, 9], {0: [9, 9, 9, 9], 1: [9, 9, 9, 9], 3: [9, 9, 9, 9], 2: [9, 9, 1, 9]})
    assert decode(given, 2, 3) == [(1, 2, 2)]


def test_an_answer_has_at_most_so_many_tokens() -> None:
    given = logits([0, 0, 0, 0], {0: [0, 1, 2, 3]})
    assert decode(given, 0, 4, longest=2) == [(1, 0, 1), (0, 0, 0)]


def test_equal_scores_are_ordered_by_place() -> None:
    given = logits([0, 0, 0], {1: [0, 0, 0], 0: [0, 0, 0]})
    assert decode(given, 0, 3, n_best=4) == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 1)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_give_no_span(bad: float) -> None:
    given = logits([0, bad, 1], {1: [0, 0, 0], 0: [0, bad, -1], 2: [0, 0, 0]})
    assert decode(given, 0, 3, n_best=9) == [(1, 2, 2), (0, 0, 0), (-1, 0, 2)]


def test_a_window_without_a_beam_in_the_passage_gives_nothing() -> None:
    assert decode(logits([0, 0], {0: [0, 0]}), 1, 2) == []


finite = st.floats(-50, 50, width=32)


@settings(deadline=None)
@given(st.data())
def test_with_a_beam_for_every_token_nothing_better_is_missed(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 9))
    first = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(first + 1, size))
    longest = data.draw(st.integers(1, size))
    start = data.draw(st.lists(finite, min_size=size, max_size=size))
    order = data.draw(st.permutations(range(size)))
    ends = {beam: data.draw(st.lists(finite, min_size=size, max_size=size)) for beam in order}
    given = logits(start, ends)
    every = sorted(
        (-float(np.float32(start[i]) + np.float32(ends[i][j])), i, j)
        for i in range(first, stop)
        for j in range(i, min(stop, i + longest))
    )
    assert decode(given, first, stop, longest, n_best=5) == [(-score, i, j) for score, i, j in every[:5]]


def test_token_spans_become_characters_of_the_passage() -> None:
    text, offsets = "ab  cd e", [(0, 2), (2, 6), (6, 8)]
    # The window shows tokens 1 and 2 at its positions 5 and 6.
    span = TokenSpan(score=1.5, first=5, last=6)
    assert to_characters(span, text, offsets, 5, 1) == CharacterSpan(start=4, end=8, score=1.5)
    assert to_characters(TokenSpan(score=1, first=5, last=5), text, offsets, 5, 1) == CharacterSpan(
        start=4, end=6, score=1
    )


@pytest.mark.parametrize(("text", "offsets"), [("a \nb", (1, 3)), ("a \nb", (2, 2)), ("a\u0301b", (1, 1))])
def test_a_span_of_white_space_or_nothing_is_none(text: str, offsets: tuple[int, int]) -> None:
    assert to_characters(TokenSpan(score=0, first=0, last=0), text, [offsets], 0, 0) is None


def test_a_span_that_two_windows_offer_is_kept_once_with_its_better_score() -> None:
    spans = [
        CharacterSpan(start=0, end=4, score=1.0),
        CharacterSpan(start=2, end=4, score=3.0),
        CharacterSpan(start=0, end=4, score=2.0),
        CharacterSpan(start=5, end=6, score=2.0),
    ]
    assert best_spans(spans, 2) == [spans[1], spans[2]]
    assert best_spans(spans, 9) == [spans[1], spans[2], spans[3]]
    assert best_spans([], 3) == []
