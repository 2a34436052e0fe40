"""Pieces of transformers' ``XLMTokenizer`` with their places in the original text.

The tokenizer is Python only and gives no offsets; it rewrites punctuation, drops control characters and, for some
checkpoints, case and accents. So a passage is tokenised one word at a time, as the scripts that trained these
checkpoints did, and the pieces of a word are aligned to its characters: every character is put into the tokenizer's
form by itself, and what the context changed beyond that is bridged to the next place where both agree. Text is always
tokenised as English, as it was in training, so the language-specific tokenizers and their packages are never used.

Moses' regular expressions cost about a fifth of a millisecond a word, so words are remembered. A tokenizer may be
shared by threads: all that it changes are dictionaries used as caches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reader.errors import ReaderError
from reader.windows import Pieces

if TYPE_CHECKING:
    from transformers import XLMTokenizer

# White space of the squad scripts: a no-break space stays inside its word, where Moses has rules for it.
_WORD = re.compile("[^ \t\r\n\u202f]+")
_END_OF_WORD = "</w>"
_KEPT_WORDS, _KEPT_CHARACTERS = 65_536, 65_536
# Two sequences agree again where this many characters do, at most so many characters away.
_AGREEMENT, _REACH = 3, 24
_JOINERS = "\u200c\u200d"

Span = tuple[int, int]


class WordTokenizer(Protocol):
    """What is needed of an ``XLMTokenizer``."""

    def tokenize(self, text: str, *, split_special_tokens: bool) -> list[str]:
        """Return the pieces of a text; the last piece of every word ends in ``</w>``."""
        ...

    def convert_tokens_to_ids(self, tokens: list[str]) -> Any:
        """Return the list of the ids of pieces."""
        ...


@dataclass(frozen=True, slots=True)
class _Word:
    ids: tuple[int, ...]
    offsets: tuple[Span, ...]


class XlmPieces:
    """An ``XLMTokenizer`` as a piece encoder.

    Offsets are inside the text, starts and ends never run backwards, and every piece is inside its word. A piece that
    stands for nothing in the text (the tokenizer made it up) has an empty place.
    """

    def __init__(self, tokenizer: WordTokenizer) -> None:
        self._tokenizer = tokenizer
        self._word = lru_cache(maxsize=_KEPT_WORDS)(self._align_word)
        self._form = lru_cache(maxsize=_KEPT_CHARACTERS)(self._form_of)

    def encode_passages(self, texts: Sequence[str]) -> list[Pieces]:
        """Tokenise passages word by word, with offsets."""
        return [self._encode_passage(text) for text in texts]

    def encode_questions(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Tokenise questions or titles whole, as the squad scripts did."""
        return [self._tokenizer.convert_tokens_to_ids(self._pieces_of(text)) for text in texts]

    def _encode_passage(self, text: str) -> Pieces:
        ids: list[int] = []
        offsets: list[Span] = []
        for match in _WORD.finditer(text):
            word, shift = self._word(match.group()), match.start()
            ids += word.ids
            offsets += [(start + shift, end + shift) for start, end in word.offsets]
        return Pieces(ids, offsets)

    def _align_word(self, word: str) -> _Word:
        pieces = self._pieces_of(word)
        forms = [self._form(character) for character in word]
        offsets = align(word, forms, [piece.removesuffix(_END_OF_WORD) for piece in pieces])
        return _Word(tuple(self._tokenizer.convert_tokens_to_ids(pieces)), tuple(offsets))

    def _form_of(self, character: str) -> str:
        return "".join(piece.removesuffix(_END_OF_WORD) for piece in self._pieces_of(character))

    def _pieces_of(self, text: str) -> list[str]:
        # Without split_special_tokens "</s>" in a text would become the separator itself.
        return self._tokenizer.tokenize(text, split_special_tokens=True)


def align(word: str, forms: Sequence[str], pieces: Sequence[str]) -> list[Span]:
    """Return the half-open place in ``word`` of each piece; ``forms`` are what its characters became, one by one.

    Where forms and pieces differ, equally long stretches are matched one to one, and of others every piece gets the
    whole stretch. Marks and joiners that the tokenizer dropped belong to the character before them.
    """
    source = "".join(forms)
    owners = [place for place, form in enumerate(forms) for _ in form]
    joined = "".join(pieces)
    ends = _ends(word, forms)
    spans: list[Span] = []
    for (left, right), (low, high) in _blocks(source, joined):
        if right - left == high - low:
            spans += [(owner, ends[owner]) for owner in owners[left:right]]
        elif left < right:
            spans += [(owners[left], ends[owners[right - 1]])] * (high - low)
        else:
            place = ends[owners[left - 1]] if left else 0
            spans += [(place, place)] * (high - low)
    return list(_joined(spans, pieces))


def _ends(word: str, forms: Sequence[str]) -> list[int]:
    """Return for each character where its place ends: after the dropped marks and joiners that follow it."""
    ends = list(range(1, len(word) + 1))
    for place in range(len(word) - 2, -1, -1):
        follower = word[place + 1]
        dropped = not forms[place + 1]
        if dropped and (unicodedata.category(follower).startswith("M") or follower in _JOINERS):
            ends[place] = ends[place + 1]
    return ends


def _blocks(left: str, right: str) -> Iterator[tuple[Span, Span]]:
    """Yield stretches of ``left`` and of ``right`` that belong together, in order, covering both."""
    i = j = 0
    while i < len(left) or j < len(right):
        same = _common_prefix(left, right, i, j)
        if same:
            yield (i, i + same), (j, j + same)
        i, j = i + same, j + same
        if i == len(left) and j == len(right):
            return
        next_i, next_j = _next_agreement(left, right, i, j)
        yield (i, next_i), (j, next_j)
        i, j = next_i, next_j


def _common_prefix(left: str, right: str, i: int, j: int) -> int:
    most = min(len(left) - i, len(right) - j)
    if left[i : i + most] == right[j : j + most]:
        return most
    same = 0
    while left[i + same] == right[j + same]:
        same += 1
    return same


def _next_agreement(left: str, right: str, i: int, j: int) -> tuple[int, int]:
    """Return the nearest places from which both sequences go on alike, equal steps first; else both ends."""
    for distance in range(1, 2 * _REACH + 1):
        for skipped in _balanced(distance):
            a, b = i + skipped, j + distance - skipped
            if a <= len(left) and b <= len(right) and left[a : a + _AGREEMENT] == right[b : b + _AGREEMENT]:
                return a, b
    return len(left), len(right)


@cache
def _balanced(distance: int) -> tuple[int, ...]:
    """Return the ways to take ``distance`` steps on two sides, by the steps on the first, the most even ones first."""
    steps = range(max(0, distance - _REACH), min(distance, _REACH) + 1)
    return tuple(sorted(steps, key=lambda taken: (abs(2 * taken - distance), taken)))


def _joined(spans: Sequence[Span], pieces: Sequence[str]) -> Iterator[Span]:
    """Yield the place of each piece from the places of its characters, in order."""
    first, floor_start, floor_end = 0, 0, 0
    for piece in pieces:
        own = spans[first : first + len(piece)]
        first += len(piece)
        start, end = (own[0][0], own[-1][1]) if own else (floor_end, floor_end)
        floor_start, floor_end = max(floor_start, start), max(floor_end, end)
        yield floor_start, floor_end


def load_xlm_tokenizer(directory: Path) -> XLMTokenizer:
    """Load ``vocab.json`` and ``merges.txt`` of a checkpoint directory; raise ReaderError where they cannot be used."""
    from transformers import XLMTokenizer

    for name in ("vocab.json", "merges.txt"):
        if not (directory / name).is_file():
            raise ReaderError(f"{directory / name} is missing; restore the tokenizer's files")
    try:
        tokenizer: XLMTokenizer = XLMTokenizer.from_pretrained(directory, local_files_only=True)
    except Exception as error:  # a damaged file gives whatever its parser raises
        reason = " ".join(str(error).split())[:200]
        raise ReaderError(f"{directory}: the tokenizer cannot be read ({reason}); restore its files") from error
    return tokenizer
