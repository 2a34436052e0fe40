"""Judge an answer against the expected ones, as leniently as a person would who checks the words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

MOST_EXTRA_WORDS = 3
MOST_EXTRA_CHARACTERS = 12

# Blocks of scripts that put no space between words: Thai and Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def is_right(text: str, expected: Sequence[str], language: str | None) -> bool:
    """Say whether ``text`` is one of the expected answers, or holds its words and little more.

    Right is an exact match after normalisation, or the expected words inside an answer at most three words longer; in
    scripts without spaces between words, at most twelve characters longer. ``language`` is the answer's.
    """
    from reader.scoring import exact_match

    if not _words(text):
        return False
    wanted = [answer for answer in expected if _words(answer)]
    return any(exact_match(text, [answer], language) == 1.0 or _holds(text, answer) for answer in wanted)


def _holds(text: str, expected: str) -> bool:
    given, wanted = _words(text), _words(expected)
    if any(map(_is_unspaced, "".join(given + wanted))):
        return _holds_characters(" ".join(given), " ".join(wanted))
    places = range(len(given) - len(wanted) + 1)
    return len(given) - len(wanted) <= MOST_EXTRA_WORDS and any(
        given[place : place + len(wanted)] == wanted for place in places
    )


def _holds_characters(given: str, wanted: str) -> bool:
    if len(given) - len(wanted) > MOST_EXTRA_CHARACTERS:
        return False
    place = given.find(wanted)
    while place >= 0:
        if _is_border(given, place) and _is_border(given, place + len(wanted)):
            return True
        place = given.find(wanted, place + 1)
    return False


def _is_border(text: str, place: int) -> bool:
    """Say whether a word may begin or end here: "19" is not held by "1901年", though "1901" is."""
    if place in (0, len(text)):
        return True
    return any(_is_unspaced(character) or character.isspace() for character in text[place - 1 : place + 1])


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(" " if unicodedata.category(character)[0] in "PSZC" else character for character in folded).split()


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)
