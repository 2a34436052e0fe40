"""Score a predicted answer against the expected ones: exact match and F1 over tokens.

Two sets of rules, each a function that normalises an answer to tokens joined by single spaces.

``normalize_answer``: the rules published with MLQA, which is what Spanglot reports first.
    1. Lower-case.
    2. Delete every character of Unicode category P, and the ASCII symbols ``$+<=>^`|~``.
    3. Replace articles by a space:
       en a an the · es un una unos unas el la los las · de ein eine einen einem eines einer der die das den dem des ·
       vi của là cái chiếc những, all as whole words; ar every ال, wherever it stands (inside a word too).
       Hindi and Chinese have none.
    4. Tokens are what white space separates; in Chinese every Han character is a token by itself.

    MLQA covers ar, de, en, es, hi, vi and zh. Beyond it, by our choice: no articles in any other language; Japanese
    like Chinese, kana included (JaQuAD and JSQuAD count characters too); Thai, Lao, Khmer and Burmese, which put no
    space between words but write them with an alphabet, by the words of ICU's dictionaries, because single letters
    match by chance. An answer of unknown language loses no articles and is split by the scripts that it is written in.

``normalize_squad``: the rules of the SQuAD script, which published XQuAD figures use for all languages.
    Lower-case; delete ASCII punctuation only; replace the whole words a, an, the by a space, whatever the language;
    tokens are what white space separates. A Chinese or Thai answer is then mostly one token: F1 is close to exact
    match there, and ``،`` or ``。`` left at the end of an answer counts as a mistake.

F1 is that of the two bags of tokens. As in SQuAD 2.0, where either bag is empty F1 is 1 if both are and else 0 (the
MLQA script gives 0 to two empty bags), and a question without expected answers is right if the prediction is empty.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from corpora.words import word_spans

Normalizer = Callable[[str, str | None], str]

_ASCII_PUNCTUATION = frozenset(string.punctuation)
_ARTICLES = {
    "ar": re.compile("ال"),
    "de": re.compile(r"\b(?:ein(?:e[nmsr]?)?|der|die|das|den|dem|des)\b"),
    "en": re.compile(r"\b(?:an?|the)\b"),
    "es": re.compile(r"\b(?:un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(?:của|là|cái|chiếc|những)\b"),
}
# Wider than the one block that MLQA names; the two agree wherever only common characters are used.
_HAN = r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = r"\u3031-\u3035\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_ALPHABETS_WITHOUT_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"


def _pieces(characters: str = "", runs: str = "") -> re.Pattern[str]:
    """Match one of ``characters``, a run of ``runs``, or what lies between (both are insides of a character class)."""
    alternatives = [f"[{characters}]"] if characters else []
    if runs:
        alternatives.append(f"[{runs}]+")
    return re.compile("|".join([*alternatives, rf"[^\s{characters}{runs}]+"]))


_BY_CHARACTER = _pieces(characters=_HAN)
_PIECES = {
    "zh": _BY_CHARACTER,
    "ja": _pieces(characters=_HAN + _KANA),
    **dict.fromkeys(("th", "lo", "km", "my"), _pieces(runs=_ALPHABETS_WITHOUT_SPACES)),
}
_PIECES_OF_UNKNOWN = _pieces(characters=_HAN + _KANA, runs=_ALPHABETS_WITHOUT_SPACES)
_UNSPACED = re.compile(f"[{_ALPHABETS_WITHOUT_SPACES}]")


def normalize_answer(text: str, language: str | None) -> str:
    """Bring an answer to its tokens, joined by single spaces, by the MLQA rules (see the module).

    ``language`` is a BCP 47 code of which the first part counts (``zh-Hant`` is ``zh``), or None if not known.
    """
    primary = None if language is None else language.split("-")[0].lower()
    kept = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = None if primary is None else _ARTICLES.get(primary)
    if articles is not None:
        kept = articles.sub(" ", kept)
    return " ".join(_segment(kept, primary))


def normalize_squad(text: str, language: str | None = None) -> str:
    """Bring an answer to its tokens, joined by single spaces, by the SQuAD rules; ``language`` changes nothing."""
    kept = "".join(character for character in text.lower() if character not in _ASCII_PUNCTUATION)
    return " ".join(_ARTICLES["en"].sub(" ", kept).split())


def exact_match(
    prediction: str, golds: Sequence[str], language: str | None, *, normalize: Normalizer = normalize_answer
) -> float:
    """Return 1.0 if the prediction equals one of the expected answers after normalisation, else 0.0.

    Without expected answers (the question has none) return 1.0 if the prediction is empty.
    """
    predicted = normalize(prediction, language)
    return float(any(predicted == normalize(gold, language) for gold in _golds_or_empty(golds)))


def f1(
    prediction: str, golds: Sequence[str], language: str | None, *, normalize: Normalizer = normalize_answer
) -> float:
    """Return the F1 of the tokens of prediction and expected answer, from 0.0 to 1.0, against the best of ``golds``.

    Without expected answers (the question has none) return 1.0 if the prediction is empty.
    """
    predicted = normalize(prediction, language).split()
    return max(_f1_of_tokens(predicted, normalize(gold, language).split()) for gold in _golds_or_empty(golds))


def _golds_or_empty(golds: Sequence[str]) -> Sequence[str]:
    return golds if len(golds) > 0 else ("",)


def _f1_of_tokens(predicted: Sequence[str], expected: Sequence[str]) -> float:
    if not predicted or not expected:
        return float(not predicted and not expected)
    common = (Counter(predicted) & Counter(expected)).total()
    return 2 * common / (len(predicted) + len(expected))


def _is_punctuation(character: str) -> bool:
    return character in _ASCII_PUNCTUATION or unicodedata.category(character).startswith("P")


def _segment(text: str, primary: str | None) -> Iterator[str]:
    pattern = _PIECES_OF_UNKNOWN if primary is None else _PIECES.get(primary)
    if pattern is None:
        yield from text.split()
        return
    for piece in pattern.findall(text):
        if _UNSPACED.match(piece) is None:
            yield piece
        else:
            yield from _dictionary_words(piece)


def _dictionary_words(run: str) -> Iterator[str]:
    """Split a run of Thai, Lao, Khmer or Burmese letters into ICU's words."""
    for start, end in word_spans(run):
        yield run[start:end]
