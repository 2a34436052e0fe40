"""A text's terms for lexical search, in every script."""

from __future__ import annotations

import re
import unicodedata
from importlib.metadata import version

from corpora.words import word_spans

# Scripts that are written without spaces, or whose words (Korean) carry their particles with them.
_UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u303b\u3041-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han, kana, Bopomofo
    "\u1100-\u11ff\uac00-\ud7af"  # Hangul
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"  # Thai, Lao, Burmese, Khmer
)
# Signs that a writer may leave out: vowel points of Arabic and Hebrew, the Arabic tatweel, the dot that lower case
# leaves of a Turkish capital I.
_OPTIONAL = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670\u0307]")
_APOSTROPHES = re.compile("['\u2019\uff07]")


def recipe() -> str:
    """Return what the terms of a text depend on."""
    return f"ICU words (icu4py {version('icu4py')}, Unicode {unicodedata.unidata_version}) and bigrams"


def terms(text: str) -> list[str]:
    """Return the words of a text, then the character bigrams of what is written unspaced, all folded to lower case.

    Words are those of ``corpora.words``, cut at apostrophes (l'eau, Ankara'da); pieces without a letter or a digit are
    left out. Bigrams find what the dictionaries cut in one way in a question and in another in a passage; an unspaced
    character between others gives itself. A text without words gives an empty list.
    """
    folded = _OPTIONAL.sub("", _folded(text))
    words = (folded[start:end] for start, end in word_spans(folded))
    pieces = (piece for word in words for piece in _APOSTROPHES.split(word))
    found = [piece for piece in pieces if any(character.isalnum() for character in piece)]
    for run in _UNSPACED.findall(folded):
        found.extend(run[place : place + 2] for place in range(max(1, len(run) - 1)))
    return found


def _folded(text: str) -> str:
    """Return the text as the Unicode Standard folds it for caseless matching of compatible forms (3.13, D146)."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())
