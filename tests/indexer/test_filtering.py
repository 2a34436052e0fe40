"""Filters by language, source and metadata, applied before anything is ranked."""

from __future__ import annotations

import sqlite3

import pytest

from corpora.documents import Document
from corpora.errors import UsageError
from indexer import Condition, DamagedIndex, Index, PassageFilter


def document(number, text="The bridge.", **fields):
    return Document(id=f"d{number}", text=text, **fields)


@pytest.fixture
def index(build, embedder, tmp_path):
    documents = [
        document(1, language="en", source="/a/guide.jsonl", metadata={"year": 1990, "tags": ["steel", "arch"]}),
        document(2, language="zh-Hant", source="/b/guide.jsonl", metadata={"year": 2004, "kind": "manual"}),
        document(3, language="zh", source="/a/notes.jsonl", metadata={"year": "2004", "open": True}),
        document(4, source="/a/notes.jsonl", metadata={"open": 1, "size": {"kind": "manual"}, 'a "b"': "x"}),
    ]
    build(tmp_path, documents)
    with Index.open(tmp_path, embedder=embedder) as opened:
        yield opened


def where(name, *values, **bounds):
    return PassageFilter(metadata=(Condition(name=name, any_of=values, **bounds),))


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (PassageFilter(), "1234"),
        (PassageFilter(languages=("en",)), "1"),
        (PassageFilter(languages=("zh",)), "23"),
        (PassageFilter(languages=("zh-Hant", "und")), "24"),
        (PassageFilter(languages=("ZH_hant", "EN")), "12"),
        (PassageFilter(languages=("zhx",)), ""),
        (PassageFilter(sources=("guide.jsonl",)), "12"),
        (PassageFilter(sources=("/a/guide.jsonl", "notes.jsonl")), "134"),
        (PassageFilter(sources=("uide.jsonl",)), ""),
        (PassageFilter(languages=("zh",), sources=("notes.jsonl",)), "3"),
        (PassageFilter(sources=("a/guide.jsonl", "/b/guide.jsonl/")), "12"),
        (where("year", 2004), "2"),
        (where("year", 2004, "2004"), "23"),
        (where("year", at_least=1990, at_most=2000), "1"),
        (where("year", at_least="2"), "3"),
        (where("tags", "arch"), "1"),
        (where("tags", "ARCH"), ""),
        (where("open", True), "3"),
        (where("open", 1), "4"),
        (where("kind", "manual"), "2"),
        (where("size", "manual"), ""),
        (where('a "b"', "x"), "4"),
        (where("missing", "x"), ""),
        (where("year", "x' OR '1' = '1"), ""),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_only_what_fits_is_found(index, only, expected, mode):
    found = index.retriever.retrieve("Which bridge?", mode=mode, only=only)
    assert sorted(item.passage.document_id for item in found) == [f"d{number}" for number in expected]


def test_as_many_values_as_are_let_are_looked_for(index):
    names = tuple(f"x{number}" for number in range(199))
    only = PassageFilter(languages=("de",) * 199 + ("en",), metadata=(Condition(name="tags", any_of=(*names, "arch")),))
    assert [item.passage.document_id for item in index.retriever.retrieve("x", only=only)] == ["d1"]


def test_what_is_left_out_takes_no_place(build, new_embedder, tmp_path):
    near = [document(number, text="The Danube rises here.", language="en") for number in range(200)]
    build(tmp_path, [*near, document(900, text="Completely other words.", language="de")])
    with Index.open(tmp_path, embedder=new_embedder()) as index:
        found = index.retriever.retrieve("The Danube rises here.", 1, only=PassageFilter(languages=("de",)))
        assert [item.passage.document_id for item in found] == ["d900"]
        assert len(index.retriever.retrieve("The Danube", 150, only=PassageFilter(languages=("en",)))) == 150


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Condition(name="year"), "filter on 'year' says nothing"),
        (lambda: Condition(name="year", at_least=float("nan")), "nan is no number"),
        (lambda: Condition(name="year", any_of=(2**63,)), "9223372036854775808 is no number of at most 64 bits"),
        (lambda: Condition(name="year", at_most=10**400), "10000.* is no number of at most 64 bits"),
        (lambda: Condition(name="year", at_least=True), "truth value for a bound"),
        (lambda: Condition(name="year", any_of=tuple(range(1001))), "1,001 values: give at most 200"),
        (lambda: PassageFilter(languages=("en",) * 1001), "1,001 values: give at most 200"),
        (lambda: Condition(name="\ud800", any_of=(1,)), "lone surrogate"),
        (lambda: PassageFilter(sources=("a", "\udfff")), "lone surrogate"),
        (lambda: PassageFilter(languages=("en", "%")), "the language '%' is no BCP 47 code"),
        (lambda: PassageFilter(languages=("\ud800",)), "lone surrogate"),
    ],
)
def test_what_no_document_can_have_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


def test_a_database_with_other_passages_than_were_derived_is_refused(index, tmp_path):
    connection = sqlite3.connect(tmp_path / "index.sqlite3")
    with connection:
        connection.execute("UPDATE passages SET born = 0, key = 77 WHERE key = 4")
    connection.close()
    with pytest.raises(DamagedIndex, match="other living passages"):
        index.retriever.retrieve("x", only=PassageFilter(languages=("und", "en")))
