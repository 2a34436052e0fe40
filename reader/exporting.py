"""Offer one of Spanglot's own readers as an ordinary transformers checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path

from encoder.base import WEIGHTS_FILE, base_model_directory
from encoder.transplant import bert_to_xlm
from reader.checkpoint import default_reader_directory, load_network
from reader.errors import ReaderError

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def export_xlm(directory: str | Path, reader: str | Path | None = None) -> Path:
    """Write a reader whole into ``directory`` as an ``XLMForQuestionAnswering`` with its tokenizer.

    ``reader`` is one of Spanglot's own reader directories, or None for the default one. The checkpoint gives the same
    logits under plain transformers (``cls_index`` 0, and a ``p_mask`` over everything but CLS and the passage). A
    directory that exists and is not empty is a ReaderError: nothing is overwritten.
    """
    from safetensors.torch import save_file
    from transformers import XLMConfig

    target = Path(directory)
    if target.exists() and any(target.iterdir()):
        raise ReaderError(f"{target} is not empty: give a new directory to export to")
    network = load_network(default_reader_directory() if reader is None else Path(reader))
    config = network.transformer.config
    body = bert_to_xlm(network.transformer.state_dict(), config.num_hidden_layers)
    state = {f"transformer.{name}": tensor.contiguous() for name, tensor in body.items()}
    state |= {f"qa_outputs.{name}": tensor.contiguous() for name, tensor in network.qa_outputs.state_dict().items()}
    target.mkdir(parents=True, exist_ok=True)
    save_file(state, target / WEIGHTS_FILE, metadata={"format": "pt"})
    XLMConfig(
        architectures=["XLMForQuestionAnswering"],
        vocab_size=config.vocab_size,
        emb_dim=config.hidden_size,
        n_layers=config.num_hidden_layers,
        n_heads=config.num_attention_heads,
        max_position_embeddings=config.max_position_embeddings,
        layer_norm_eps=config.layer_norm_eps,
        dropout=0.0,
        attention_dropout=0.0,
        gelu_activation=True,
        sinusoidal_embeddings=False,
        n_langs=1,
        use_lang_emb=False,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
        unk_index=3,
        mask_index=250001,
    ).save_pretrained(target)
    for name in _TOKENIZER_FILES:
        shutil.copyfile(base_model_directory() / name, target / name)
    return target
