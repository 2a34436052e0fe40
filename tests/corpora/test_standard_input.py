from __future__ import annotations

import io
import sys

import pytest

from corpora import CorpusError


@pytest.fixture
def pipe(monkeypatch):
    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))

    return put


def test_rows_are_read(read, pipe):
    pipe(b'\xef\xbb\xbf\r\n \n {"id": "a", "text": "x"}\n{"text": "y"}\nbroken\n')
    reading = read("-")
    assert reading.ids == ["a", "stdin#L4"]
    assert [document.source for document in reading.documents] == ["-", "-"]
    assert reading.errors == ["standard input, line 5: is not valid JSON: Expecting value at column 1"]


def test_anything_else_is_one_text(read, pipe):
    pipe("\ufeff\n Καλημέρα.\r\n{not json}\n".encode())
    (document,) = read("-").documents
    assert document.text == "\n Καλημέρα.\r\n{not json}\n"
    assert (document.id, document.title, document.language, document.source) == ("stdin", "stdin", "el", "-")


@pytest.mark.parametrize("content", [b"[1]", b'"a string"', b"{a}", b"{% raw %}"])
def test_only_an_object_makes_it_rows(read, pipe, content):
    pipe(content)
    assert read("-").ids == ["stdin"]


def test_a_truncated_first_row_is_a_bad_row_not_a_text(read, pipe):
    pipe(b'{"id": "a", "text": "cut\n{"id": "b", "text": "x"}\n')
    reading = read("-")
    assert reading.ids == ["b"]
    assert reading.report.rejected == 1


def test_a_first_row_longer_than_the_look_ahead_is_read(read, pipe):
    pipe(b'{"id": "a", "text": "%s"}\n{"id": "b", "text": "x"}' % (b"x" * 3_000_000))
    assert [len(document.text) for document in read("-").documents] == [3_000_000, 1]


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_empty_input_is_refused(read, pipe, content):
    pipe(content)
    with pytest.raises(CorpusError, match="standard input: is empty: pipe JSONL or text in"):
        read("-")


def test_a_closed_input_is_refused(read, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CorpusError, match="standard input: is closed: pipe JSONL or text in"):
        read("-")


def test_text_that_is_not_utf_8_is_refused(read, pipe):
    pipe(b"caf\xe9")
    with pytest.raises(CorpusError, match=r"standard input: is not UTF-8 \(byte 0xe9 in line 1\)"):
        read("-")


def test_it_goes_with_files(read, pipe, write_rows):
    pipe(b"some text")
    assert read(write_rows({"id": "a", "text": "x"}), "-").ids == ["a", "stdin"]
