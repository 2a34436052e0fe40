"""sentence-transformers models by directory, held on a tiny real one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from encoder.errors import ModelError
from indexer.embedding import Prompts, load_embedder, resolve_prompts

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", ":", "passage", "the", "river", "nile", "flows", "north"]


@pytest.fixture(scope="module")
def model_directory(tmp_path_factory) -> Path:
    """Write a one-layer model with mean pooling and the prompts "query: " and "passage: "."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    directory = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(directory)
    torch.manual_seed(7)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **shape)).save_pretrained(directory)
    (directory / "1_Pooling").mkdir()
    for name, content in {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "passage": "passage: "}},
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
    }.items():
        (directory / name).write_text(json.dumps(content))
    return directory


@pytest.fixture(scope="module")
def embedder(model_directory):
    return load_embedder(str(model_directory), device="cpu")


@pytest.fixture
def copy(model_directory, tmp_path) -> Path:
    return Path(shutil.copytree(model_directory, tmp_path / "copy"))


def test_vectors_are_unit_rows_of_float32(embedder):
    vectors = embedder.encode_document(["the nile flows north", "the river", "the nile flows north"])
    assert (vectors.shape, vectors.dtype, embedder.dimension) == ((3, 16), np.float32, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-2)
    assert embedder.encode_query([]).shape == (0, 16)


def test_order_is_kept_whatever_the_lengths(embedder):
    texts = ["river", "the nile flows north " * 5, "nile", "the river"]
    together = embedder.encode_query(texts)
    for text, vector in zip(texts, together, strict=True):
        assert int(np.argmax(together @ embedder.encode_query([text])[0])) == texts.index(text)
        np.testing.assert_allclose(embedder.encode_query([text])[0], vector, atol=2e-2)


def test_the_models_own_prompts_are_used(embedder, model_directory):
    from sentence_transformers import SentenceTransformer

    assert embedder.prompts == Prompts(query="query: ", document="passage: ")
    plain = SentenceTransformer(str(model_directory), device="cpu", local_files_only=True)
    for prefix, encode in (("query: ", embedder.encode_query), ("passage: ", embedder.encode_document)):
        expected = plain.encode([prefix + "the nile"], normalize_embeddings=True, show_progress_bar=False)
        np.testing.assert_allclose(encode(["the nile"]), expected, atol=2e-2)
    assert np.abs(embedder.encode_query(["the nile"]) - embedder.encode_document(["the nile"])).max() > 2e-2


def test_the_name_is_the_resolved_path_and_the_revision_a_hash(embedder, model_directory, copy):
    assert embedder.name == str(model_directory.resolve())
    moved = load_embedder(str(copy), device="cpu")
    assert moved.revision == embedder.revision
    (copy / "README.md").write_text("notes do not change a model")
    assert load_embedder(str(copy), device="cpu").revision == embedder.revision


@pytest.mark.parametrize("part", ["weights", "tokenizer", "prompts"])
def test_the_revision_changes_with_every_part(embedder, copy, part):
    if part == "weights":
        data = bytearray((copy / "model.safetensors").read_bytes())
        data[-1] ^= 1
        (copy / "model.safetensors").write_bytes(data)
    elif part == "tokenizer":
        tokenizer = (copy / "tokenizer.json").read_text()
        (copy / "tokenizer.json").write_text(tokenizer.replace('"nile"', '"oder"'))
    else:
        (copy / "config_sentence_transformers.json").write_text('{"prompts": {"query": "q: ", "passage": "p: "}}')
    assert load_embedder(str(copy), device="cpu").revision != embedder.revision


@pytest.mark.parametrize(
    ("name", "configured", "expected"),
    [
        ("intfloat/multilingual-e5-large", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("e5-small-v2", {}, ("query: ", "passage: ")),
        ("intfloat/e5-base", {"query": "Q ", "passage": None}, ("Q ", "")),
        ("intfloat/multilingual-e5-large-instruct", {}, ("", "")),
        ("BAAI/bge-m3", {"query": None, "document": None}, ("", "")),
        ("some/model5", {}, ("", "")),
        ("a/b", {"query": "Q ", "corpus": "C ", "passage": "P "}, ("Q ", "P ")),
        ("a/b", {"document": "", "passage": "P "}, ("", "P ")),
    ],
)
def test_prompts_are_the_models_own_or_those_of_its_family(name, configured, expected):
    assert resolve_prompts(name, configured) == Prompts(query=expected[0], document=expected[1])


def test_what_is_no_model_is_named_with_the_cure(tmp_path, copy):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "missing", tmp_path / "file", tmp_path / "empty"):
        with pytest.raises(ModelError, match=f"{path}.*give a sentence-transformers directory"):
            load_embedder(str(path))
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=f"{copy} has no weights as safetensors"):
        load_embedder(str(copy))


def test_a_path_in_the_home_of_nobody_is_no_model():
    with pytest.raises(ModelError, match="~no-such-user/model: give"):
        load_embedder("~no-such-user/model")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "modules.json"])
def test_a_damaged_model_directory_is_named_in_one_line(copy, name):
    path = copy / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=f"{copy} cannot be loaded") as refusal:
        load_embedder(str(copy), device="cpu")
    assert "\n" not in str(refusal.value)


def test_loading_says_nothing(copy, capfd):
    load_embedder(str(copy), device="cpu").encode_query(["the nile"])
    assert capfd.readouterr() == ("", "")


def test_a_name_without_an_owner_is_one_of_sentence_transformers(monkeypatch):
    asked = []

    def download(name, **options):
        asked.append(name)
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    for name in ("tiny-model", "owner/tiny-model"):
        with pytest.raises(ModelError, match=r"\(no network\): give the path of a sentence-transformers directory"):
            load_embedder(name, device="cpu")
    assert asked == ["sentence-transformers/tiny-model", "owner/tiny-model"]
