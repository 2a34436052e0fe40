"""The reader: questions and passages in, spans with comparable raw scores out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from corpora.documents import Passage
from reader.calibration import Calibration
from reader.decoding import CharacterSpan, WindowLogits, best_spans, decode_window, to_characters
from reader.settings import ReaderSettings
from reader.spans import AnswerSpan
from reader.windows import PieceEncoder, Pieces, Window, make_windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PER_WINDOW = 20
_UNKNOWN = ("<unk>", "[UNK]")


class LogitSource(Protocol):
    """Gives the logits of windows: the engine, or hand-made numbers."""

    def run(self, windows: Sequence[Window]) -> list[WindowLogits]:
        """Return the logits of each window, in the order given."""
        ...


@dataclass(frozen=True, slots=True)
class _Pair:
    """One question put to one passage; both by number."""

    question: int
    passage: Passage


class XlmReader:
    """Extracts answers from passages, many questions and passages at once."""

    def __init__(
        self, settings: ReaderSettings, pieces: PieceEncoder, engine: LogitSource, *, revision: str = "unknown"
    ) -> None:
        self.settings = settings
        self.revision = revision
        self._pieces = pieces
        self._engine = engine

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.settings.name

    @property
    def calibration(self) -> Calibration:
        """Turns the raw scores into the probability that an answer is right."""
        return self.settings.calibration

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int = 5) -> list[AnswerSpan]:
        """Read one question; see ``read_batch``."""
        return self.read_batch([question], [passages], top_k=top_k)[0]

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        """Return for each question its spans in its passages, best score first, at most ``top_k`` of each passage.

        Every span is scored by itself: neither the other passages nor their order change a score. Equal scores are
        ordered by passage id and place. Passages without any token give no span. Text that UTF-8 cannot encode
        (a lone surrogate) is the caller's to refuse.
        """
        pairs = [_Pair(q, passage) for q, group in enumerate(passages) for passage in group]
        windows, pieces = self._prepare(questions, pairs)
        logits = self._engine.run(windows)
        found: list[list[AnswerSpan]] = [[] for _ in questions]
        by_pair: dict[int, list[tuple[Window, WindowLogits]]] = {}
        for window, result in zip(windows, logits, strict=True):
            by_pair.setdefault(window.pair, []).append((window, result))
        for number, read in by_pair.items():
            pair = pairs[number]
            found[pair.question] += self._interpret(pair.passage, pieces[pair.passage.text], read, top_k)
        for spans in found:
            spans.sort(key=lambda span: (-span.score, span.passage.id, span.start, span.end))
        return found

    def _prepare(self, questions: Sequence[str], pairs: Sequence[_Pair]) -> tuple[list[Window], dict[str, Pieces]]:
        texts = list(dict.fromkeys(pair.passage.text for pair in pairs))
        pieces = dict(zip(texts, self._pieces.encode_passages(texts), strict=True))
        asked = self._pieces.encode_questions(questions)
        table = self.settings.languages
        question_languages = [] if table is None else [table.id_of_question(question) for question in questions]
        titles = self._title_ids(pairs)
        windows: list[Window] = []
        for number, pair in enumerate(pairs):
            windows += make_windows(
                number,
                asked[pair.question],
                titles.get(pair.passage.title, ()),
                pieces[pair.passage.text],
                self.settings.pair,
                self.settings.limits,
                None if table is None else (question_languages[pair.question], table.id_of(pair.passage.language)),
            )
        return windows, pieces

    def _title_ids(self, pairs: Sequence[_Pair]) -> dict[str, Sequence[int]]:
        if not self.settings.use_titles:
            return {}
        titles = [title for title in dict.fromkeys(pair.passage.title for pair in pairs) if title]
        spoken = [title.replace("_", " ") for title in titles]
        return dict(zip(titles, self._pieces.encode_questions(spoken), strict=True))

    def _interpret(
        self, passage: Passage, pieces: Pieces, read: Sequence[tuple[Window, WindowLogits]], top_k: int
    ) -> list[AnswerSpan]:
        spans: list[CharacterSpan] = []
        no_answer = float("inf")
        for window, logits in read:
            no_answer = min(no_answer, logits.class_logit if self.settings.no_answer == "class" else logits.null_score)
            for span in decode_window(
                logits,
                window.passage_start,
                window.passage_end,
                max_answer_tokens=self.settings.max_answer_tokens,
                n_best=_PER_WINDOW,
            ):
                place = to_characters(span, passage.text, pieces.offsets, window.passage_start, window.first_token)
                if place is not None:
                    spans.append(place)
        return [
            AnswerSpan(passage=passage, start=span.start, end=span.end, score=span.score, no_answer_score=no_answer)
            for span in best_spans(spans, top_k)
        ]

    def with_settings(self, **changes: object) -> XlmReader:
        """Return a reader of the same weights with other settings, for experiments."""
        return XlmReader(
            replace(self.settings, **changes),  # type: ignore[arg-type]
            self._pieces,
            self._engine,
            revision=self.revision,
        )


class FastPieces:
    """A ``tokenizers`` tokenizer as a piece encoder.

    A question or passage that contains ``</s>`` as words cannot end its segment: what the tokenizer would still take
    for a special token (a Unigram vocabulary holds them as pieces) becomes one unknown piece with its place.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder()
        special = {number: token.content for number, token in added.items() if token.special}
        self._unknown = next((number for number, text in special.items() if text in _UNKNOWN), None)
        self._special = frozenset() if self._unknown is None else frozenset(special) - {self._unknown}

    def encode_passages(self, texts: Sequence[str]) -> list[Pieces]:
        """Tokenise passages, with offsets."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Pieces(self._plain(one.ids), one.offsets) for one in encoded]

    def encode_questions(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Tokenise questions or titles."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [self._plain(one.ids) for one in encoded]

    def _plain(self, ids: Sequence[int]) -> Sequence[int]:
        if self._unknown is None or self._special.isdisjoint(ids):
            return ids
        return [self._unknown if number in self._special else number for number in ids]
