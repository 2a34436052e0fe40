"""Whole XLM checkpoints: loading, settings, refusals, and answers from end to end."""

from __future__ import annotations

import hashlib
import json
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from corpora.documents import Passage
from encoder.tokenization import build_tokenizer
from reader.checkpoint import load_reader
from reader.errors import ReaderError
from reader.head import BeamHead, LinearHead
from reader.reading import XlmReader
from reader.xlm import load_xlm_reader

QUESTION = "When was the bridge built?"
WEIGHTS = "model.safetensors"


@pytest.fixture
def directory(beam_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of a checkpoint that a test may change."""
    return shutil.copytree(beam_checkpoint, tmp_path / "copy")


def passages(sentences: dict[str, str]) -> list[Passage]:
    return [
        Passage(id=language, document_id=language, text=text, start=0, language=language)
        for language, text in sentences.items()
    ]


def change_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def record(directory: Path, **settings: object) -> None:
    change_json(directory / "reader.json", format=1, settings=settings)


def change_weights(directory: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    state = load_file(directory / WEIGHTS)
    change(state)
    save_file(state, directory / WEIGHTS, metadata={"format": "pt"})


@pytest.mark.parametrize("kind", ["beam_checkpoint", "language_checkpoint", "simple_checkpoint"])
def test_a_checkpoint_directory_answers(kind: str, request: pytest.FixtureRequest, sentences: dict[str, str]) -> None:
    directory: Path = request.getfixturevalue(kind)
    reader = load_reader(directory, device="cpu")
    assert reader.name == "tiny-xlm"
    assert reader.revision == hashlib.sha256((directory / WEIGHTS).read_bytes()).hexdigest()[:12]
    spans = reader.read(QUESTION, passages(sentences), top_k=2)
    assert sorted({span.passage.id for span in spans}) == sorted(sentences)
    assert len(spans) == 2 * len(sentences)
    for span in spans:
        assert span.text == sentences[span.passage.id][span.start : span.end] != ""
        assert torch.isfinite(torch.tensor([span.score, span.no_answer_score])).all()


def pairs_of_transformers(model: Any, reader: XlmReader, text: str) -> Iterator[tuple[float, int, int]]:
    """Yield (score, start token, end token) of all spans of one window, by transformers' own modules, in both loops."""
    tokenizer = reader._pieces._tokenizer  # type: ignore[attr-defined]
    question = tokenizer.encode(QUESTION, add_special_tokens=False)
    words = [number for word in text.split() for number in tokenizer.encode(word, add_special_tokens=False)]
    ids = torch.tensor([tokenizer.build_inputs_with_special_tokens(question, words)])
    hidden = model.transformer(ids).last_hidden_state
    start = model.qa_outputs.start_logits(hidden)[0]
    first = len(question) + 2
    for i in range(first, first + len(words)):
        ends = model.qa_outputs.end_logits(hidden, start_positions=torch.tensor([i]))[0, first - 1 : first + len(words)]
        for j in range(i, min(i + 30, first + len(words))):
            yield (start[i] + ends.log_softmax(0)[j - first + 1]).item(), i - first, j - first


@torch.inference_mode()
def test_the_best_spans_are_those_of_a_search_over_all_pairs(
    beam_checkpoint: Path, loaders: Any, exact_reader: Callable[..., XlmReader], sentences: dict[str, str]
) -> None:
    reader = exact_reader(beam_checkpoint, beams=200)
    theirs = loaders.theirs(beam_checkpoint)
    for passage in passages(sentences):
        (pieces,) = reader._pieces.encode_passages([passage.text])
        expected = {}
        for score, i, j in sorted(pairs_of_transformers(theirs, reader, passage.text), reverse=True)[:20]:
            end = pieces.offsets[j][1]
            while end < len(passage.text) and unicodedata.category(passage.text[end]).startswith("M"):
                end += 1  # a vowel sign stays with its letter
            expected.setdefault((pieces.offsets[i][0], end), score)
        found = {(span.start, span.end): span.score for span in reader.read(QUESTION, [passage], top_k=5)}
        assert list(found) == list(expected)[:5], passage.id
        assert list(found.values()) == pytest.approx(list(expected.values())[:5], abs=1e-4)


@pytest.mark.parametrize("kind", ["beam_checkpoint", "language_checkpoint", "simple_checkpoint"])
def test_answers_do_not_depend_on_the_batch(
    kind: str, request: pytest.FixtureRequest, exact_reader: Callable[..., XlmReader], sentences: dict[str, str]
) -> None:
    reader = exact_reader(request.getfixturevalue(kind))
    texts = passages(sentences)
    texts.append(Passage(id="long", document_id="long", text=" ".join(sentences.values()), start=0, language="en"))
    together = reader.read(QUESTION, texts, top_k=3)
    assert [span.passage.id for span in reader.read(QUESTION, texts[::-1], top_k=3)] == [s.passage.id for s in together]
    alone = {text.id: reader.read(QUESTION, [text], top_k=3) for text in texts}
    for text in texts:
        mine = [span for span in together if span.passage.id == text.id]
        assert [(s.start, s.end) for s in mine] == [(s.start, s.end) for s in alone[text.id]]
        assert [s.score for s in mine] == pytest.approx([s.score for s in alone[text.id]], abs=1e-4)
        assert [s.no_answer_score for s in mine] == pytest.approx([s.no_answer_score for s in alone[text.id]], abs=1e-4)


def test_windows_fit_the_positions_of_the_model(directory: Path) -> None:
    assert load_xlm_reader(directory, device="cpu").settings.limits.window == 128
    record(directory, limits={"window": 129})
    with pytest.raises(ReaderError, match="window of 129 tokens is longer than the model's 128 positions"):
        load_xlm_reader(directory, device="cpu")


def test_recorded_settings_take_the_place_of_defaults(directory: Path) -> None:
    plain = load_xlm_reader(directory, device="cpu").settings
    record(directory, no_answer="class", pair={"cls_position": 0}, limits={"question": 20}, beams=3)
    changed = load_xlm_reader(directory, device="cpu").settings
    assert (plain.no_answer, plain.beams, plain.pair.cls_position) == ("null", 8, None)
    assert (changed.no_answer, changed.beams, changed.pair.cls_position) == ("class", 3, 0)
    assert changed.pair.opening == plain.pair.opening
    assert (changed.limits.question, changed.limits.window) == (20, plain.limits.window)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"no_anser": "null"}, "unknown setting no_anser"),
        ({"no_answer": "maybe"}, "no_answer is 'maybe'"),
        ({"languages": {"ids": {"en": 0}}}, "no language embeddings"),
        ({"pair": {"token_types": [0]}}, r"token_types is \[0\], not two token types or none"),
        ({"pair": {"token_types": [0, 1]}}, "token_types are recorded, but XLM has none"),
        ({"pair": {"cls": 0}}, "reader.json: not a reader's settings"),
        ({"pair": [0]}, "reader.json: not a reader's settings"),
        ({"pair": {"opening": ["<s>"]}}, "opening is '<s>', not a whole number from 0"),
        ({"limits": {"overlap": -1}}, "overlap is -1, not a whole number from 0"),
        ({"limits": 128}, "reader.json: not a reader's settings"),
        ({"beams": "8"}, "beams is '8', not a whole number from 1"),
        ({"max_answer_tokens": 0}, "max_answer_tokens is 0, not a whole number from 1"),
        ({"use_titles": "no"}, "use_titles is 'no', neither true nor false"),
        ({"calibration": 3}, "reader.json: not a reader's settings"),
    ],
)
def test_wrong_settings_are_refused(directory: Path, settings: dict[str, object], reason: str) -> None:
    record(directory, **settings)
    with pytest.raises(ReaderError, match=reason) as caught:
        load_xlm_reader(directory, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["[]", "{", '"text"', '{"format": 2}', '{"format": 1}', '{"format": 1, "settings": []}']
)
def test_settings_in_another_form_are_refused_by_name(directory: Path, content: str) -> None:
    (directory / "reader.json").write_text(content, encoding="utf-8")
    with pytest.raises(ReaderError, match=r"reader\.json: ") as caught:
        load_xlm_reader(directory, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_linear_head_has_no_answer_class(simple_checkpoint: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(simple_checkpoint, tmp_path / "copy")
    record(copy, no_answer="class")
    with pytest.raises(ReaderError, match="this head has no answer class"):
        load_xlm_reader(copy, device="cpu")


def test_the_head_is_the_one_in_the_file(beam_checkpoint: Path, simple_checkpoint: Path, loaders: Any) -> None:
    for directory, kind in ((beam_checkpoint, BeamHead), (simple_checkpoint, LinearHead)):
        head, state = loaders.ours(directory).qa_outputs, load_file(directory / WEIGHTS)
        assert isinstance(head, kind)
        for name, tensor in head.state_dict().items():
            assert torch.equal(tensor, state[f"qa_outputs.{name}"])


@pytest.mark.parametrize(
    ("dropped", "named"),
    [
        (("qa_outputs.",), "qa_outputs.answer_class.dense_0.bias, .*qa_outputs.start_logits.dense.weight missing"),
        (("qa_outputs.start_logits.dense.bias",), r"head: qa_outputs\.start_logits\.dense\.bias missing"),
    ],
)
def test_a_missing_or_partial_head_is_refused_by_its_names(directory: Path, dropped: tuple[str], named: str) -> None:
    change_weights(directory, lambda state: [state.pop(name) for name in list(state) if name.startswith(dropped)])
    with pytest.raises(ReaderError, match=named):
        load_xlm_reader(directory, device="cpu")


def test_half_a_linear_head_is_refused_by_its_name(simple_checkpoint: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(simple_checkpoint, tmp_path / "copy")
    change_weights(copy, lambda state: state.pop("qa_outputs.bias"))
    with pytest.raises(ReaderError, match=r"head: qa_outputs\.bias missing"):
        load_xlm_reader(copy, device="cpu")


def test_a_missing_tensor_of_the_encoder_is_named(directory: Path) -> None:
    change_weights(directory, lambda state: state.pop("transformer.layer_norm2.1.weight"))
    with pytest.raises(ReaderError, match=r"transformer\.layer_norm2\.1\.weight is missing"):
        load_xlm_reader(directory, device="cpu")


def test_a_tensor_of_another_shape_is_named(directory: Path) -> None:
    change_weights(
        directory, lambda state: state.update({"transformer.position_embeddings.weight": torch.zeros(9, 32)})
    )
    with pytest.raises(ReaderError, match="position_embeddings"):
        load_xlm_reader(directory, device="cpu")


def test_half_precision_weights_are_read(directory: Path, sentences: dict[str, str]) -> None:
    change_weights(directory, lambda state: state.update({name: tensor.half() for name, tensor in state.items()}))
    assert load_xlm_reader(directory, device="cpu").read(QUESTION, passages(sentences))


def test_a_pickle_is_read_where_it_is_allowed(directory: Path) -> None:
    torch.save(load_file(directory / WEIGHTS), directory / "pytorch_model.bin")
    (directory / WEIGHTS).unlink()
    with pytest.raises(ReaderError, match=r"pytorch_model\.bin is a pickle.*allow_pickle=True \(--allow-pickle\)"):
        load_reader(directory, device="cpu")
    assert load_reader(directory, device="cpu", allow_pickle=True).name == "copy"


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "in parts"])
def test_damaged_weights_are_refused_by_name(directory: Path, damage: str) -> None:
    content = (directory / WEIGHTS).read_bytes()
    if damage in ("missing", "in parts"):
        (directory / WEIGHTS).unlink()
        if damage == "in parts":
            (directory / "model.safetensors.index.json").write_text("{}", encoding="utf-8")
    else:
        (directory / WEIGHTS).write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    with pytest.raises(ReaderError, match=r"model\.safetensors") as caught:
        load_xlm_reader(directory, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "xln"}, "model_type 'xln' is no question answering model"),
        ({"model_type": None}, "model_type None is no question answering model"),
        ({"causal": True}, "a causal XLM"),
        ({"n_layers": "many"}, "not an XLM configuration"),
        ({"vocab_size": 20}, "beyond vocab_size 20"),
    ],
)
def test_a_configuration_that_cannot_be_run_is_refused(
    directory: Path, changes: dict[str, object], reason: str
) -> None:
    change_json(directory / "config.json", **changes)
    if "vocab_size" in changes:
        name = "transformer.embeddings.weight"
        change_weights(directory, lambda state: state.update({name: state[name][:20].clone()}))
    with pytest.raises(ReaderError, match=reason) as caught:
        load_reader(directory, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_damaged_configuration_is_refused_by_name(directory: Path, text: str) -> None:
    (directory / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ReaderError, match=r"config\.json"):
        load_reader(directory, device="cpu")


def test_a_vocabulary_without_its_special_tokens_is_refused(directory: Path) -> None:
    change_json(directory / "tokenizer_config.json", sep_token="[SEP]")
    with pytest.raises(ReaderError, match=r"the vocabulary has no \[SEP\]"):
        load_xlm_reader(directory, device="cpu")


def test_language_ids_must_be_rows_of_the_table(language_checkpoint: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(language_checkpoint, tmp_path / "copy")
    change_json(copy / "config.json", lang2id={"en": 1, "xx": 4})
    with pytest.raises(ReaderError, match="lang2id of xx is not below n_langs 4"):
        load_xlm_reader(copy, device="cpu")


def test_language_ids_may_stand_with_the_tokenizer(language_checkpoint: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(language_checkpoint, tmp_path / "copy")
    change_json(copy / "config.json", lang2id=None, lang_id=2)
    change_json(copy / "tokenizer_config.json", lang2id={"de": 3}, id2lang={"3": "de"})
    table = load_xlm_reader(copy, device="cpu").settings.languages
    assert table is not None
    assert (table.id_of("de-AT"), table.id_of("fr")) == (3, 2)


def test_an_unknown_pair_format_is_refused(beam_checkpoint: Path) -> None:
    with pytest.raises(ReaderError, match="pair format '1999' is not known: choose one of current, 2020"):
        load_xlm_reader(beam_checkpoint, device="cpu", pair="1999")  # type: ignore[arg-type]


def test_a_fast_tokenizer_is_used_where_the_checkpoint_brings_one(directory: Path) -> None:
    """As in the XLM form of Spanglot's own readers: a Unigram tokenizer and the pair format of XLM-R, recorded."""
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (directory / name).unlink()
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("▁stone", -2.0), ("a", -3.0)]
    build_tokenizer(pieces).save(str(directory / "tokenizer.json"))
    record(directory, pair={"opening": [0], "between": [2, 2], "after_title": [2], "closing": [2], "pad": 1})
    reader = load_reader(directory, device="cpu")
    assert reader.settings.pair.between == (2, 2)
    text = Passage(id="x", document_id="x", text="a stone", start=0)
    assert {span.text for span in reader.read("a", [text])} <= {"a", "stone", "a stone"}
