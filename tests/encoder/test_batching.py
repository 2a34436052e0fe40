from hypothesis import given
from hypothesis import strategies as st

from encoder import token_budget_batches


def test_batches_hold_neighbours_in_length_within_the_budget() -> None:
    # 90 stands alone (2 x 90 > 100); 40 + 30 pad to 80; 20, 20 and 10 pad to 60.
    assert token_budget_batches([20, 90, 40, 10, 30, 20], budget=100) == [[1], [2, 4], [0, 5, 3]]


def test_an_item_over_the_budget_stands_alone() -> None:
    assert token_budget_batches([5, 300, 5], budget=10) == [[1], [0, 2]]


def test_the_number_of_items_is_limited_too() -> None:
    assert token_budget_batches([1] * 5, budget=100, max_items=2) == [[0, 1], [2, 3], [4]]


def test_alike_items_alone_share_a_batch() -> None:
    assert token_budget_batches([20, 90, 40, 90, 20, 40], budget=100, alike=True) == [[1], [3], [2, 5], [0, 4]]


def test_nothing_gives_no_batches() -> None:
    assert token_budget_batches([], budget=10) == []


@given(st.lists(st.integers(min_value=1, max_value=60)), st.integers(min_value=1, max_value=200))
def test_every_item_stands_in_one_batch_that_keeps_the_budget(lengths: list[int], budget: int) -> None:
    batches = token_budget_batches(lengths, budget=budget, max_items=7)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or (max(lengths[i] for i in batch) * len(batch) <= budget and len(batch) <= 7)
