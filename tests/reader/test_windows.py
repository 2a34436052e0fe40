"""Windows worked by hand, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.errors import ReaderError
from reader.windows import PairFormat, Pieces, Window, WindowLimits, make_windows

ROBERTA = PairFormat(opening=(0,), between=(2, 2), after_title=(2,), closing=(2,), pad=1, cls_position=0)
XLM = PairFormat(opening=(0,), between=(1,), after_title=(1,), closing=(1,), pad=2, cls_position=None)
XLM_2020 = PairFormat(opening=(1,), between=(1,), after_title=(1,), closing=(1,), pad=2, cls_position=0)


def passage(size: int) -> Pieces:
    """Return pieces 100, 101, ... that stand three characters apart."""
    return Pieces(list(range(100, 100 + size)), [(3 * i, 3 * i + 2) for i in range(size)])


def windows(
    size: int, limits: WindowLimits, *, form: PairFormat = ROBERTA, question: Sequence[int] = (50, 51), **more: object
) -> list[Window]:
    title: Sequence[int] = more.pop("title", ())  # type: ignore[assignment]
    return list(make_windows(4, question, title, passage(size), form, limits, **more))  # type: ignore[arg-type]


def test_a_short_passage_is_one_window() -> None:
    (window,) = windows(3, WindowLimits(window=20))
    assert window == Window(
        pair=4,
        ids=[0, 50, 51, 2, 2, 100, 101, 102, 2],
        passage_start=5,
        passage_end=8,
        first_token=0,
        cls_position=0,
    )


def test_a_title_stands_before_the_passage() -> None:
    (window,) = windows(2, WindowLimits(window=20, title=2), title=(70, 71, 72))
    assert list(window.ids) == [0, 50, 51, 2, 2, 70, 71, 2, 100, 101, 2]
    assert (window.passage_start, window.passage_end) == (8, 10)


def test_the_cls_position_is_the_first_separator_where_the_format_says_so() -> None:
    (now,) = windows(2, WindowLimits(window=20), form=XLM)
    assert (list(now.ids), now.cls_position) == ([0, 50, 51, 1, 100, 101, 1], 3)
    (titled,) = windows(2, WindowLimits(window=20), form=XLM, title=(70,))
    assert (list(titled.ids), titled.cls_position) == ([0, 50, 51, 1, 70, 1, 100, 101, 1], 3)
    (then,) = windows(2, WindowLimits(window=20), form=XLM_2020)
    assert (list(then.ids), then.cls_position) == ([1, 50, 51, 1, 100, 101, 1], 0)


def test_a_long_passage_is_shown_in_windows_that_overlap() -> None:
    # Room for 12 - 6 = 6 passage tokens, 2 of them seen before: 0-5, 4-9, 8-10.
    found = windows(11, WindowLimits(window=12, overlap=2))
    assert [window.first_token for window in found] == [0, 4, 8]
    assert [list(window.ids[5:-1]) for window in found] == [
        [100, 101, 102, 103, 104, 105],
        [104, 105, 106, 107, 108, 109],
        [108, 109, 110],
    ]
    assert [len(window.ids) for window in found] == [12, 12, 9]


def test_a_passage_that_just_fits_is_not_shown_twice() -> None:
    assert len(windows(6, WindowLimits(window=12, overlap=2))) == 1
    assert len(windows(7, WindowLimits(window=12, overlap=2))) == 2


def test_a_passage_without_tokens_has_no_window() -> None:
    assert windows(0, WindowLimits(window=12)) == []


def test_the_question_is_cut() -> None:
    (window,) = windows(1, WindowLimits(window=20, question=3), question=range(50, 60))
    assert list(window.ids) == [0, 50, 51, 52, 2, 2, 100, 2]


def test_each_token_has_the_language_of_its_text() -> None:
    (window,) = windows(2, WindowLimits(window=20), form=XLM, title=(70,), languages=(8, 9))
    assert list(window.ids) == [0, 50, 51, 1, 70, 1, 100, 101, 1]
    assert list(window.token_types) == [8, 8, 8, 8, 9, 9, 9, 9, 9]


def test_limits_without_room_for_the_passage_are_refused() -> None:
    with pytest.raises(ReaderError, match="window of 6 tokens has no room"):
        windows(1, WindowLimits(window=6))


@settings(deadline=None)
@given(
    size=st.integers(0, 200),
    window=st.integers(9, 60),
    overlap=st.integers(0, 300),
    question=st.integers(0, 3),
    form=st.sampled_from([ROBERTA, XLM, XLM_2020]),
)
def test_all_tokens_are_shown_in_order_and_nothing_is_too_long(
    size: int, window: int, overlap: int, question: int, form: PairFormat
) -> None:
    pieces = passage(size)
    limits = WindowLimits(window=window, overlap=overlap)
    seen: set[int] = set()
    for each in make_windows(0, [50] * question, (), pieces, form, limits):
        assert len(each.ids) <= window
        shown = each.ids[each.passage_start : each.passage_end]
        assert list(shown) == pieces.ids[each.first_token : each.first_token + len(shown)]
        assert each.first_token <= len(seen), "a gap between windows"
        seen.update(shown)
    assert seen == set(pieces.ids)
