"""Words of English texts replaced by their translations: English questions teach a reader across languages.

Qin et al., "CoSDA-ML: Multi-Lingual Code-Switching Data Augmentation for Zero-Shot Cross-Lingual NLP", 2020. The word
list (``recipes/lexicon.tsv``) was written for this project.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path

from reader.errors import ReaderError

ABSENT = "-"
"""Stands in the word list where a language has no such word: it is left out of the text."""

_WORD = re.compile(r"[A-Za-z]+")
_UNSPACED = ("th", "zh")


class CodeSwitcher:
    """Replaces English words and phrases (of two words) by one language's, as far as its word list goes."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._tables = tables
        self.languages = tuple(sorted(tables))

    def switch(self, text: str, language: str, share: float, drawn: random.Random) -> str:
        """Return ``text`` with each known word replaced with the probability ``share``; spaces and marks stay."""
        table = self._tables[language]
        words = list(_WORD.finditer(text))
        parts: list[str] = []
        reached = place = 0
        while place < len(words):
            first = words[place]
            last = words[place + 1] if place + 1 < len(words) else first
            phrase = text[first.start() : last.end()].lower()
            if last is first or phrase not in table:
                last, phrase = first, first.group().lower()
            place += 2 if last is not first else 1
            if phrase not in table or drawn.random() >= share:
                continue
            parts += [text[reached : first.start()], _shown(table[phrase], capital=first.group()[0].isupper())]
            reached = last.end()
        return _closed("".join([*parts, text[reached:]]), language)


def read_lexicon(path: Path) -> CodeSwitcher:
    """Read a word list: tab-separated, a first line of language codes that begins with ``en``, then one word a line."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, UnicodeDecodeError) as error:
        raise ReaderError(f"{path}: not a word list ({error}); give tab-separated UTF-8 text") from error
    if not rows or rows[0][0] != "en" or any(len(row) != len(rows[0]) for row in rows):
        raise ReaderError(f"{path}: not a word list; give lines of as many columns as the first, which names languages")
    return CodeSwitcher(
        {
            language: {row[0].lower(): row[column] for row in rows[1:]}
            for column, language in enumerate(rows[0])
            if column
        }
    )


def _shown(translation: str, *, capital: bool) -> str:
    if translation == ABSENT:
        return ""
    return translation[0].upper() + translation[1:] if capital else translation


def _closed(text: str, language: str) -> str:
    """Take out the spaces that a dropped word leaves, and those between words of a script that has none."""
    text = re.sub(r"(?<=\S)  +(?=\S)", " ", text)
    if language in _UNSPACED:
        text = re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text)
    return text
