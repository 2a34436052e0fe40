from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from encoder import ModelError, load_tokenizer, token_offsets
from encoder.base import _verified_source
from encoder.blockfile import BlockFile
from encoder.tokenization import build_tokenizer


@pytest.fixture(scope="module")
def tokenizer(base_directory: Path) -> Tokenizer:
    return load_tokenizer(base_directory)


def test_every_piece_of_the_file_stands_in_its_row(tokenizer: Tokenizer) -> None:
    pieces = BlockFile(_verified_source()).pieces
    assert len(pieces) == 250_002
    vocabulary = tokenizer.get_vocab()
    assert all(vocabulary[piece] == row for row, (piece, _) in enumerate(pieces))


def test_pairs_read_as_xlm_roberta_pairs(tokenizer: Tokenizer) -> None:
    one, two = (tokenizer.encode(text, add_special_tokens=False).ids for text in ("Who?", "Ada."))
    assert tokenizer.encode("Who?", "Ada.").ids == [0, *one, 2, 2, *two, 2]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello world", ["▁Hello", "▁world"]),
        ("Hello\tworld\u200bagain", ["▁Hello", "▁world", "▁again"]),  # tabs and zero-width spaces part words
        ("Hel\u0007lo", ["▁Hello"]),  # a control character vanishes
        ("ﬁne", ["▁fine"]),  # NFKC unties the ligature
        ("Cafe\u0301", ["▁Café"]),  # and composes the accent
    ],
)
def test_normalisation_by_hand(tokenizer: Tokenizer, text: str, tokens: list[str]) -> None:
    assert tokenizer.encode(text, add_special_tokens=False).tokens == tokens


def test_the_fullwidth_tilde_is_kept_apart_from_the_plain_one() -> None:
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("～", -2.0), ("~", -2.0)]
    small = build_tokenizer(pieces)
    assert small.encode("～ ~", add_special_tokens=False).tokens == ["▁", "～", "▁", "~"]


def test_offsets_count_code_points_of_the_original(tokenizer: Tokenizer) -> None:
    text = "😀 Ｃafe\u0301 ok"
    spans = token_offsets(tokenizer)(text)
    # The composed accent is left out of its token: the reader puts it back when it cuts an answer.
    assert [text[start:end] for start, end in spans] == ["😀", "Ｃafe", "ok"]


def test_special_tokens_in_the_text_keep_their_place(tokenizer: Tokenizer) -> None:
    assert token_offsets(tokenizer)("a </s> b") == [(0, 1), (2, 3), (2, 6), (7, 8)]


@given(text=st.text(max_size=80))
def test_offsets_stay_inside_and_run_forwards(tokenizer: Tokenizer, text: str) -> None:
    spans = token_offsets(tokenizer)(text)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


def test_a_directory_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        load_tokenizer(tmp_path)


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "model"')
    with pytest.raises(ModelError, match=r"tokenizer\.json is damaged"):
        load_tokenizer(tmp_path)
