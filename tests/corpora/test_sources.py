"""Which documents a source given on the command line covers."""

from __future__ import annotations

import os

import pytest

from corpora.sources import lies_in

HERE = os.getcwd()


@pytest.mark.parametrize(
    ("source", "given", "covered"),
    [
        ("/texts/one.txt", "/texts/one.txt", True),
        ("/texts/one.txt", "/texts", True),
        ("/texts/one.txt", "/texts/", True),
        ("/texts/one.txt", "/other/../texts", True),
        ("/texts/one.txt", "/", True),
        (f"{HERE}/notes/one.txt", "notes", True),
        ("-", "-", True),
        ("a name of one's own", "a name of one's own", True),
        ("/texts/one.txt", "/text", False),
        ("/texts/one.txt", "/texts/one", False),
        ("/texts", "/texts/one.txt", False),
        ("/texts/one.txt", "-", False),
        ("-", "/", False),
        ("-", ".", False),
    ],
)
def test_a_source_covers_itself_and_what_lies_below(source: str, given: str, covered: bool) -> None:
    assert lies_in(source, given) == covered
