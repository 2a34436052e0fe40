"""Holding questions out by article."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from reader.questions import GoldQuestion, split_by_article


def question(number: int, *, title: str = "", context: str = "") -> GoldQuestion:
    return GoldQuestion(
        id=str(number), question=f"Question {number}?", context=context, title=title, language="en", answers=()
    )


def many(articles: int, paragraphs: int, questions: int) -> list[GoldQuestion]:
    numbers = iter(range(articles * paragraphs * questions))
    return [
        question(next(numbers), title=f"Title {article}", context=f"Context {article}/{place}")
        for article in range(articles)
        for place in range(paragraphs)
        for _ in range(questions)
    ]


def test_dev_is_filled_from_whole_articles() -> None:
    pool = many(articles=20, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
    assert len(dev) == 20
    assert len({held.title for held in dev}) == 2
    assert sorted(train + dev, key=lambda each: int(each.id)) == pool


def test_the_smaller_of_fraction_and_maximum_counts() -> None:
    pool = many(articles=20, paragraphs=5, questions=2)
    assert len(split_by_article(pool, dev_fraction=1.0, max_dev=30)[1]) == 30
    assert len(split_by_article(pool, dev_fraction=0.07, max_dev=30)[1]) == 14
    assert split_by_article(pool, dev_fraction=0.0, max_dev=30) == (pool, [])
    assert split_by_article([], dev_fraction=0.1, max_dev=30) == ([], [])


def test_the_rest_of_the_last_article_goes_to_neither_part() -> None:
    pool = many(articles=10, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.13, max_dev=500)
    assert len(dev) == 13
    assert len({held.title for held in dev}) == 2
    assert len(train) == 80


def test_a_limit_by_article_spreads_dev() -> None:
    pool = many(articles=10, paragraphs=5, questions=2)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500, max_per_article=2)
    assert len(dev) == 10
    assert len({held.title for held in dev}) == 5
    assert len(train) == 50


def test_the_split_does_not_depend_on_the_order_but_on_the_seed() -> None:
    pool = many(articles=30, paragraphs=3, questions=3)
    shuffled = list(pool)
    random.Random(5).shuffle(shuffled)
    train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
    again = split_by_article(shuffled, dev_fraction=0.1, max_dev=500)
    assert {held.id for held in again[1]} == {held.id for held in dev}
    assert [kept.id for kept in again[0]] == [each.id for each in shuffled if each in train]
    assert {held.id for held in split_by_article(pool, dev_fraction=0.1, max_dev=500, seed=1)[1]} != {
        held.id for held in dev
    }


def test_another_file_read_too_keeps_the_articles_in_order() -> None:
    pool = many(articles=30, paragraphs=1, questions=3)
    dev = split_by_article(pool, dev_fraction=1.0, max_dev=30)[1]
    more = [question(1000 + place, title=f"Other {place}", context=f"More {place}") for place in range(30)]
    with_more = split_by_article(more + pool, dev_fraction=1.0, max_dev=30)[1]
    assert {held.id for held in with_more if not held.title.startswith("Other")} <= {held.id for held in dev}


def test_without_titles_and_under_one_label_contexts_are_kept_whole() -> None:
    for title in ("", "my data set"):
        pool = [question(place, title=title, context=f"Context {place // 4}") for place in range(80)]
        train, dev = split_by_article(pool, dev_fraction=0.1, max_dev=500)
        assert len(dev) == 8
        assert len({held.context for held in dev}) == 2
        assert len(train) == 72


def test_titles_written_differently_are_one_article() -> None:
    names = ("New_York", "new york", "New  York", "ＮＥＷ York")
    pool = [question(place, title=names[place % 4], context=f"Context {place}") for place in range(16)]
    pool += [question(100 + place, title=f"Else {place}", context=f"Elsewhere {place}") for place in range(84)]
    for seed in range(20):
        train, dev = split_by_article(pool, dev_fraction=0.3, max_dev=500, seed=seed)
        assert not ({kept.title for kept in train} & set(names) and {held.title for held in dev} & set(names))


@given(
    places=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12)), max_size=60),
    dev_fraction=st.floats(0, 1),
    max_per_article=st.none() | st.integers(1, 5),
)
def test_no_title_and_no_context_stands_in_both_parts(
    places: list[tuple[int, int]], dev_fraction: float, max_per_article: int | None
) -> None:
    # Title 0 is none at all, and a second article makes sure that no title is a mere label.
    pool = [question(900, title="first", context="a"), question(901, title="second", context="b")]
    pool += [
        question(number, title=f"Title {title}" if title else "", context=f"Context {context}")
        for number, (title, context) in enumerate(places)
    ]
    train, dev = split_by_article(pool, dev_fraction=dev_fraction, max_dev=40, max_per_article=max_per_article)
    assert not {kept.context for kept in train} & {held.context for held in dev}
    assert not {kept.title for kept in train if kept.title} & {held.title for held in dev if held.title}
    assert len(dev) <= min(40, int(dev_fraction * len(pool)))
    assert len({each.id for each in train + dev}) == len(train) + len(dev)


def test_the_split_stays_as_it_was() -> None:
    # Committed weights were trained on one part and are judged on the other: another split would let them cheat.
    pool = many(articles=40, paragraphs=2, questions=2)
    dev = split_by_article(pool, dev_fraction=0.1, max_dev=10, max_per_article=3)[1]
    assert [int(held.id) for held in dev] == [24, 25, 26, 76, 77, 78, 92, 93, 95, 107]
