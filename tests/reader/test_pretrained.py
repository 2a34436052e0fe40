"""Checkpoints of other models than XLM, held on tiny real ones against plain transformers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForQuestionAnswering,
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForQuestionAnswering,
)

from corpora.documents import Passage
from encoder.compute import Compute
from encoder.tokenization import build_tokenizer
from reader.checkpoint import load_reader
from reader.engine import Engine
from reader.errors import ReaderError
from reader.network import PretrainedNetwork
from reader.pretrained import load_model, load_pretrained_reader
from reader.reading import XlmReader
from reader.windows import Window, make_windows

QUESTION = "Which bridge crosses the river?"
WEIGHTS, PICKLE = "model.safetensors", "pytorch_model.bin"
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
# Wide weights, or every logit of an untrained model is nearly the same.
WIDE = {"initializer_range": 0.4}
SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}


def word_piece(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **roles)


def unigram(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    joined = " ".join(texts)
    known = [*sorted(set(joined) - {" "}), *sorted({f"▁{word}" for word in joined.split() if len(word) > 1})]
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [(piece, -6.0 if len(piece) == 1 else -3.0) for piece in known]
    roles = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    others = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    return PreTrainedTokenizerFast(tokenizer_object=build_tokenizer(pieces), **roles, **others)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, sentences: dict[str, str]) -> dict[str, Path]:
    """Directories with a BERT and an XLM-R model, as transformers saves them."""
    torch.manual_seed(7)
    found = {}
    words, pieces = word_piece(sentences.values()), unigram(sentences.values())
    bert = BertConfig(vocab_size=len(words), max_position_embeddings=96, **SHAPE, **WIDE)
    roberta = XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=98, type_vocab_size=1, pad_token_id=1, **SHAPE, **WIDE
    )
    for name, tokenizer, model in (
        ("tiny-bert", words, BertForQuestionAnswering(bert)),
        ("tiny-xlmr", pieces, XLMRobertaForQuestionAnswering(roberta)),
    ):
        found[name] = tmp_path_factory.mktemp("pretrained") / name
        tokenizer.save_pretrained(found[name])
        model.save_pretrained(found[name])
    return found


@pytest.fixture
def directory(checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the BERT checkpoint that a test may change."""
    return shutil.copytree(checkpoints["tiny-bert"], tmp_path / "copy")


def passages(sentences: dict[str, str]) -> list[Passage]:
    return [Passage(id=name, document_id=name, text=text, start=0) for name, text in sentences.items()]


def change_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def change_weights(directory: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(directory / WEIGHTS)
    change(state)
    save_file(state, directory / WEIGHTS, metadata={"format": "pt"})


def to_pickle(directory: Path) -> None:
    torch.save(load_file(directory / WEIGHTS), directory / PICKLE)
    (directory / WEIGHTS).unlink()


def refusal(directory: Path | str, **options: Any) -> str:
    with pytest.raises(ReaderError) as caught:
        load_reader(directory, device="cpu", **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def windows_of(reader: XlmReader, texts: Iterable[str]) -> list[Window]:
    settings = reader.settings
    (asked,) = reader._pieces.encode_questions([QUESTION])
    windows: list[Window] = []
    for number, pieces in enumerate(reader._pieces.encode_passages(list(texts))):
        windows += make_windows(number, asked, (), pieces, settings.pair, settings.limits)
    return windows


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-xlmr"])
@torch.inference_mode()
def test_pairs_and_logits_are_those_of_transformers(
    name: str, checkpoints: dict[str, Path], sentences: dict[str, str]
) -> None:
    directory = checkpoints[name]
    reader = load_pretrained_reader(directory, device="cpu")
    texts = [sentences["en"], sentences["de"][:30], sentences["ru"]]
    windows = windows_of(reader, texts)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    batch = tokenizer([QUESTION] * 3, texts, padding=True, return_tensors="pt")
    theirs = AutoModelForQuestionAnswering.from_pretrained(directory, attn_implementation="eager").eval()
    expected = theirs(**batch)
    network = PretrainedNetwork(load_model(directory / WEIGHTS, theirs.config))
    engine = Engine(network, Compute(torch.device("cpu"), torch.float32), pad=reader.settings.pair.pad, beams=8)
    assert len({len(window.ids) for window in windows}) == 3, "the batch has padding"
    for row, (window, logits) in enumerate(zip(windows, engine.run(windows), strict=True)):
        length, shown = len(window.ids), slice(window.passage_start, window.passage_end)
        assert window.ids == batch["input_ids"][row, :length].tolist()
        assert list(window.token_types) == (batch["token_type_ids"][row, :length].tolist() if "bert" in name else [])
        starts, ends = expected.start_logits[row], expected.end_logits[row]
        assert logits.start_logits[shown] == pytest.approx(starts[shown].numpy(), abs=1e-4)
        assert logits.end_logits[0][shown] == pytest.approx(ends[shown].numpy(), abs=1e-4)
        assert logits.null_score == pytest.approx((starts[0] + ends[0]).item(), abs=1e-4)


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-xlmr"])
def test_a_checkpoint_answers(name: str, checkpoints: dict[str, Path], sentences: dict[str, str]) -> None:
    reader = load_reader(checkpoints[name], device="cpu")
    assert (reader.name, reader.settings.no_answer, reader.settings.limits.window) == (name, "null", 96)
    assert reader.revision == hashlib.sha256((checkpoints[name] / WEIGHTS).read_bytes()).hexdigest()[:12]
    spans = reader.read(QUESTION, passages(sentences), top_k=2)
    assert {span.passage.id for span in spans} == set(sentences)
    for span in spans:
        assert span.text == sentences[span.passage.id][span.start : span.end] != ""
        assert torch.isfinite(torch.tensor([span.score, span.no_answer_score])).all()


def test_a_model_without_a_head_is_refused_by_the_names_of_the_weights(directory: Path) -> None:
    (directory / WEIGHTS).unlink()
    BertModel(BertConfig.from_pretrained(directory)).save_pretrained(directory)
    assert "no whole question answering head: qa_outputs.bias, qa_outputs.weight missing" in refusal(directory)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("qa_outputs.bias"), "head: qa_outputs.bias missing"),
        (
            lambda state: state.pop("bert.encoder.layer.1.output.dense.bias"),
            "bert.encoder.layer.1.output.dense.bias missing",
        ),
        (
            lambda state: state.update({"bert.embeddings.distance_embedding.weight": torch.zeros(2)}),
            "no place for bert.embeddings.distance_embedding.weight",
        ),
        (lambda state: state.update({"qa_outputs.bias": torch.zeros(3)}), "do not fit their configuration"),
    ],
)
def test_weights_that_do_not_fit_the_model_are_refused(
    directory: Path, change: Callable[[dict[str, torch.Tensor]], object], reason: str
) -> None:
    change_weights(directory, change)
    assert reason in refusal(directory)


def test_names_of_the_first_berts_are_understood(directory: Path, sentences: dict[str, str]) -> None:
    texts = passages(sentences)
    expected = load_reader(directory, device="cpu").read(QUESTION, texts)
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    state = load_file(directory / WEIGHTS)
    for new, name in old.items():
        state = {key.replace(new, name): tensor for key, tensor in state.items()}
    save_file(state, directory / WEIGHTS, metadata={"format": "pt"})
    assert load_reader(directory, device="cpu").read(QUESTION, texts) == expected


def test_weights_that_answering_has_no_use_for_do_no_harm(directory: Path) -> None:
    change_weights(directory, lambda state: state.update({"bert.pooler.dense.bias": torch.zeros(32)}))
    assert load_reader(directory, device="cpu").name == "copy"


def test_a_pickle_is_read_where_it_is_allowed(directory: Path, sentences: dict[str, str]) -> None:
    texts = passages(sentences)
    expected = load_reader(directory, device="cpu").read(QUESTION, texts)
    to_pickle(directory)
    assert "pass allow_pickle=True (--allow-pickle)" in refusal(directory)
    assert load_reader(directory, device="cpu", allow_pickle=True).read(QUESTION, texts) == expected


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"no_answer": "class"}, "this head has no answer class"),
        ({"languages": {"ids": {"en": 0}, "fallback": 0}}, "no language embeddings"),
        ({"limits": {"window": 97}}, "window of 97 tokens is longer than the model's 96 positions"),
        ({"pair": {"token_types": [0, 2]}}, "the model has 2 token types"),
    ],
)
def test_recorded_settings_that_the_model_cannot_serve_are_refused(
    directory: Path, settings: dict[str, object], reason: str
) -> None:
    change_json(directory / "reader.json", format=1, settings=settings)
    assert reason in refusal(directory)


def test_recorded_settings_take_the_place_of_derived_ones(directory: Path) -> None:
    plain = load_reader(directory, device="cpu").settings
    change_json(directory / "reader.json", format=1, settings={"beams": 3, "pair": {"token_types": []}})
    changed = load_reader(directory, device="cpu").settings
    assert (plain.beams, plain.pair.token_types, changed.beams, changed.pair.token_types) == (8, (0, 1), 3, ())
    assert (plain.pair.opening, plain.pair.between, plain.pair.closing) == ((2,), (3,), (3,))


def test_a_fast_tokenizer_is_made_of_older_files(directory: Path, sentences: dict[str, str]) -> None:
    expected = load_reader(directory, device="cpu")
    vocabulary = Tokenizer.from_file(str(directory / "tokenizer.json")).get_vocab()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (directory / name).unlink()
    (directory / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)), encoding="utf-8")
    made = load_reader(directory, device="cpu")
    assert made.settings == expected.settings
    text = sentences["de"]
    assert made._pieces.encode_passages([text]) == expected._pieces.encode_passages([text])


def test_a_checkpoint_without_a_tokenizer_is_refused(directory: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (directory / name).unlink()
    assert "has neither tokenizer.json nor vocab.txt: give a checkpoint with a tokenizer.json" in refusal(directory)


def test_a_tokenizer_that_builds_no_pairs_is_refused(directory: Path) -> None:
    change_json(directory / "tokenizer.json", post_processor=None)
    assert "a separator between question and passage" in refusal(directory)


def test_words_of_a_text_are_no_special_tokens_and_added_words_stay(directory: Path) -> None:
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.add_tokens(["steinbruecke"])
    tokenizer.save(str(directory / "tokenizer.json"))
    number = tokenizer.token_to_id("steinbruecke")
    assert f"token id {number} is beyond vocab_size {number}" in refusal(directory)
    change_json(directory / "config.json", vocab_size=number + 1)
    name = "bert.embeddings.word_embeddings.weight"
    change_weights(directory, lambda state: state.update({name: torch.cat((state[name], state[name][-1:]))}))
    (pieces,) = load_reader(directory, device="cpu")._pieces.encode_passages(["steinbruecke [SEP]"])
    assert number in pieces.ids
    assert set(SPECIAL.values()).isdisjoint(set(pieces.ids) - {SPECIAL["[UNK]"]})
