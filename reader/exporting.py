"""Offer one of Spanglot's own readers as an ordinary transformers checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path

from encoder.base import WEIGHTS_FILE, base_model_directory
from encoder.transplant import bert_to_xlm
from encoder.weights import write_weights
from reader.checkpoint import default_reader_directory, load_network, write_settings
from reader.errors import ReaderError
from reader.settings import SETTINGS_FILE, read_settings

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def export_xlm(directory: str | Path, reader: str | Path | None = None) -> Path:
    """Write a reader whole into ``directory`` as an ``XLMForQuestionAnswering`` with its tokenizer and settings.

    ``reader`` is one of Spanglot's own reader directories, or None for the default one. The checkpoint gives the same
    logits under plain transformers (``cls_index`` 0, and a ``p_mask`` over everything but CLS and the passage), and
    ``load_reader`` reads it as it reads the original. A directory that exists and is not empty is a ReaderError:
    nothing is overwritten.
    """
    from transformers import XLMConfig

    target = Path(directory)
    if target.exists() and any(target.iterdir()):
        raise ReaderError(f"{target} is not empty: give a new directory to export to")
    source = default_reader_directory() if reader is None else Path(reader)
    settings = read_settings(source / SETTINGS_FILE)
    network = load_network(source)
    config = network.transformer.config
    body = bert_to_xlm(network.transformer.state_dict(), config.num_hidden_layers)
    state = {f"transformer.{name}": tensor.contiguous() for name, tensor in body.items()}
    state |= {f"qa_outputs.{name}": tensor.contiguous() for name, tensor in network.qa_outputs.state_dict().items()}
    target.mkdir(parents=True, exist_ok=True)
    write_weights(target / WEIGHTS_FILE, state)
    write_settings(target, settings)
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
