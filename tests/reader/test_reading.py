"""The reader over hand-made logits: what it asks of the network, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from corpora.documents import Passage
from encoder.tokenization import build_tokenizer
from reader.decoding import WindowLogits
from reader.languages import LanguageIds
from reader.reading import FastPieces, XlmReader
from reader.settings import XLM_ROBERTA_PAIR, ReaderSettings
from reader.windows import Window, WindowLimits

WORDS = ["who", "built", "it", "anna", "built", "the", "bridge", "in", "spring", "river"]
UNIGRAMS = [
    *(("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -9.0)),
    *((f"▁{word}", -3.0) for word in dict.fromkeys(WORDS)),
    *((letter, -8.0) for letter in "abcdefghijklmnopqrstuvwxyz</>.0123456789_"),
]
TOKENIZER = build_tokenizer(UNIGRAMS)
IDS = {piece: number for number, (piece, _) in enumerate(UNIGRAMS)}
SETTINGS = ReaderSettings(name="scripted", pair=XLM_ROBERTA_PAIR)


@dataclass
class ScriptedLogits:
    """Give every token the start and end logit of its id, 0 where none is written down, and keep the windows seen."""

    start: dict[str, float]
    end: dict[str, float]
    null: Callable[[Window], float] = lambda window: -1.0
    answer_class: Callable[[Window], float] = lambda window: -2.0
    seen: list[Window] = field(default_factory=list)

    def run(self, windows: Sequence[Window]) -> list[WindowLogits]:
        self.seen += windows
        return [self._logits(window) for window in windows]

    def _logits(self, window: Window) -> WindowLogits:
        start = {IDS[piece]: logit for piece, logit in self.start.items()}
        end = {IDS[piece]: logit for piece, logit in self.end.items()}
        starts = np.array([start.get(each, 0.0) for each in window.ids], np.float32)
        ends = np.array([end.get(each, 0.0) for each in window.ids], np.float32)
        beams = np.arange(len(window.ids))
        return WindowLogits(
            start_logits=starts,
            starts=beams,
            end_logits=np.tile(ends, (len(beams), 1)),
            end_totals=np.zeros(len(beams), np.float32),
            null_score=self.null(window),
            class_logit=self.answer_class(window),
        )


def passage(text: str, *, name: str = "p", title: str = "", language: str | None = None) -> Passage:
    return Passage(id=name, document_id="d", text=text, start=0, title=title, language=language)


def reader(logits: ScriptedLogits, settings: ReaderSettings = SETTINGS) -> XlmReader:
    return XlmReader(settings, FastPieces(TOKENIZER), logits)


def anna() -> ScriptedLogits:
    return ScriptedLogits({"▁anna": 4.0, "▁the": 1.0}, {"▁anna": 3.0, "▁bridge": 2.0})


def test_the_best_span_is_found_with_its_place_and_raw_score() -> None:
    text = "in spring  anna built the bridge"
    best, second, third = reader(anna()).read("who built it", [passage(text)], top_k=3)
    assert (best.text, best.start, best.end, best.score) == ("anna", 11, 15, 7.0)
    assert (second.text, second.score) == ("anna built the bridge", 6.0)
    assert (third.text, third.score) == ("anna built", 4.0)
    assert {span.no_answer_score for span in (best, second, third)} == {-2.0}


def test_each_question_gets_its_own_spans_over_all_of_its_passages() -> None:
    first, second = passage("anna built it", name="a"), passage("in the river", name="b")
    found = reader(anna()).read_batch(["who", "built"], [[first, second], []], top_k=1)
    assert [[(span.passage.id, span.text, span.score) for span in spans] for spans in found] == [
        [("a", "anna", 7.0), ("b", "the", 1.0)],
        [],
    ]


def test_neither_the_order_nor_the_company_of_passages_changes_a_span() -> None:
    texts = ["anna built it", "the bridge", "anna built it", "in spring"]
    passages = [passage(text, name=f"p{number}") for number, text in enumerate(texts)]
    together = reader(anna()).read("who", passages)
    assert together == reader(anna()).read("who", passages[::-1])
    alone = [span for each in passages for span in reader(anna()).read("who", [each])]
    assert sorted(together, key=str) == sorted(alone, key=str)
    assert [span.passage.id for span in together[:2]] == ["p0", "p2"], "equal texts stay two passages"


@pytest.mark.parametrize("text", ["", " \n\t", "\u0001"])
def test_a_passage_without_tokens_gives_no_span(text: str) -> None:
    assert reader(anna()).read("who", [passage(text)]) == []


def test_no_questions_give_nothing() -> None:
    assert reader(anna()).read_batch([], []) == []


def test_windows_that_overlap_offer_a_span_once() -> None:
    settings = replace(SETTINGS, limits=WindowLimits(window=11, overlap=3))
    logits = anna()
    spans = reader(logits, settings).read(
        "who", [passage("in the spring anna built the bridge in the spring")], top_k=50
    )
    assert len(logits.seen) > 1
    places = [(span.start, span.end) for span in spans]
    assert len(places) == len(set(places))
    assert spans[0].text == "anna"


def test_the_no_answer_score_of_a_passage_is_that_of_its_most_answering_window() -> None:
    logits = anna()
    logits.null = lambda window: float(window.first_token)
    logits.answer_class = lambda window: -float(window.first_token)
    settings = replace(SETTINGS, limits=WindowLimits(window=10, overlap=0))
    text = [passage("anna built the bridge in the spring")]
    last = max(window.first_token for window in (reader(logits, settings).read("who", text), logits.seen)[1])
    assert last > 0
    (span,) = reader(logits, settings).read("who", text, top_k=1)
    assert span.no_answer_score == -last
    (span,) = reader(logits, replace(settings, no_answer="null")).read("who", text, top_k=1)
    assert span.no_answer_score == 0.0


def test_titles_are_shown_only_to_readers_that_want_them() -> None:
    titled = [passage("anna built it", title="The_river")]
    without, wanted = anna(), anna()
    reader(without).read("who", titled)
    reader(wanted, replace(SETTINGS, use_titles=True)).read("who", titled)
    river, separator = IDS["▁river"], 2
    assert river not in without.seen[0].ids
    ids = list(wanted.seen[0].ids)
    assert ids[ids.index(river) + 1] == separator
    assert wanted.seen[0].passage_start == ids.index(river) + 2


def test_languages_go_to_the_tokens_of_their_texts() -> None:
    table = LanguageIds(ids={"en": 1, "zh": 2}, fallback=3, question="en")
    for language, expected in (("zh-Hant", 2), ("EN", 1), ("tlh", 3), (None, 3)):
        logits = anna()
        reader(logits, replace(SETTINGS, languages=table)).read("who", [passage("anna built it", language=language)])
        (window,) = logits.seen
        asked = window.passage_start
        assert list(window.token_types) == [1] * asked + [expected] * (len(window.ids) - asked)


def test_the_language_of_a_question_is_detected_where_none_is_set() -> None:
    table = LanguageIds(ids={"ru": 5, "el": 6}, fallback=0)
    assert table.id_of_question("Кто построил старый мост в городе?") == 5
    assert table.id_of_question("Ποιος έχτισε τη γέφυρα;") == 6


def test_other_settings_keep_the_weights() -> None:
    logits = anna()
    changed = reader(logits).with_settings(max_answer_tokens=1)
    texts = {span.text for span in changed.read("who", [passage("anna built it")], top_k=9)}
    assert texts == {"anna", "built", "it"}


@pytest.mark.parametrize("text", ["</s>", "<s> anna </s>", "<unk>", "<pad><mask>"])
def test_special_tokens_written_as_words_stay_words(text: str) -> None:
    pieces = FastPieces(TOKENIZER)
    specials = {0, 1, 2, TOKENIZER.token_to_id("<mask>")}
    (questions,) = pieces.encode_questions([text])
    (passages,) = pieces.encode_passages([text])
    assert not specials & {*questions, *passages.ids}


@hypothesis_settings(deadline=None)
@given(st.text(max_size=60))
def test_the_places_of_fast_pieces_hold_for_every_text(text: str) -> None:
    (pieces,) = FastPieces(TOKENIZER).encode_passages([text])
    assert len(pieces.ids) == len(pieces.offsets)
    before = (0, 0)
    for start, end in pieces.offsets:
        assert 0 <= start <= end <= len(text)
        assert before[0] <= start
        assert before[1] <= end
        before = (start, end)


@hypothesis_settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_every_span_of_every_text_slices_its_passage(question: str, text: str) -> None:
    settings = replace(SETTINGS, limits=WindowLimits(window=30, overlap=5, question=8))
    for span in reader(anna(), settings).read(question, [passage(text)], top_k=20):
        assert 0 <= span.start < span.end <= len(text)
        assert span.text == text[span.start : span.end]
        assert span.text == span.text.strip()
