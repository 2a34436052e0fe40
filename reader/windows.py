"""From questions and passages to windows that fit the encoder, and back to characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from reader.errors import ReaderError


@dataclass(frozen=True, slots=True)
class Pieces:
    """A tokenised text: token ids and the half-open code point offsets of each token in that text."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class PieceEncoder(Protocol):
    """Turns texts into pieces, without special tokens."""

    def encode_passages(self, texts: Sequence[str]) -> list[Pieces]:
        """Tokenise passages; the offsets of neighbours never run backwards."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Tokenise questions or titles; only the ids are needed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFormat:
    """The special tokens of a window: ``opening question between [title after_title] passage closing``.

    ``cls_position`` is where the CLS token stands: an index from the left, or None for the first token of ``between``
    (XLM's CLS token is its separator, and checkpoints differ in where it was looked for). ``token_types`` are the types
    of the question with the tokens that enclose it and of all that follows, empty for a model without them.
    """

    opening: tuple[int, ...]
    between: tuple[int, ...]
    after_title: tuple[int, ...]
    closing: tuple[int, ...]
    pad: int
    cls_position: int | None = 0
    token_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLimits:
    """Sizes in tokens: of a window with everything, of a question, of a title, and of the overlap of two windows."""

    window: int = 384
    overlap: int = 128
    question: int = 64
    title: int = 24


DEFAULT_LIMITS = WindowLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One input of the network: pair number ``pair``, whose passage tokens ``first_token`` and on are shown.

    The passage tokens stand at ``ids[passage_start:passage_end]``. ``token_types`` are the types or language ids of the
    tokens, empty for a checkpoint that has neither.
    """

    pair: int
    ids: Sequence[int]
    passage_start: int
    passage_end: int
    first_token: int
    cls_position: int
    token_types: Sequence[int] = ()


def make_windows(
    pair: int,
    question: Sequence[int],
    title: Sequence[int],
    passage: Pieces,
    form: PairFormat,
    limits: WindowLimits,
    languages: tuple[int, int] | None = None,
) -> Iterator[Window]:
    """Yield windows that together show every token of the passage; a passage without tokens yields none.

    Neighbours share ``limits.overlap`` tokens (less where a window has little room). Question and title are cut.
    ``languages`` are the language ids of the question (with the tokens that enclose it) and of title and passage; they
    take the place of token types.
    Raise ReaderError for limits that leave no room for the passage.
    """
    head = [*form.opening, *question[: limits.question], *form.between]
    cls_position = form.cls_position
    if cls_position is None:
        cls_position = len(head) - len(form.between)
    asked = len(head)
    kinds = form.token_types if languages is None else languages
    if title:
        head += [*title[: limits.title], *form.after_title]
    room = limits.window - len(head) - len(form.closing)
    if room < 1:
        raise ReaderError(f"a window of {limits.window} tokens has no room for a passage after {len(head)}: enlarge it")
    step = max(1, room - min(limits.overlap, room // 2))
    first = 0
    while first < len(passage.ids):
        shown = passage.ids[first : first + room]
        ids = [*head, *shown, *form.closing]
        types = [kinds[0]] * asked + [kinds[1]] * (len(ids) - asked) if kinds else ()
        yield Window(
            pair=pair,
            ids=ids,
            passage_start=len(head),
            passage_end=len(head) + len(shown),
            first_token=first,
            cls_position=cls_position,
            token_types=types,
        )
        if first + room >= len(passage.ids):
            return
        first += step
