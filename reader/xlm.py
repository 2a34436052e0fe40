"""Load a transformers checkpoint of an XLM question answering model, exactly.

The class is chosen by the names of the tensors in the file: ``AutoModelForQuestionAnswering`` takes the linear one
whatever the checkpoint holds, and leaves a beam head behind. The encoder runs as a ``BertModel`` (see
``encoder.transplant``).

``reader.json`` beside ``config.json`` may record settings that differ from the defaults, for instance
``{"format": 1, "settings": {"no_answer": "class"}}`` for a checkpoint that was trained on unanswerable questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.compute import choose_compute
from encoder.tokenization import TOKENIZER_FILE, load_tokenizer
from encoder.transplant import xlm_to_bert
from reader.alignment import XlmPieces, load_xlm_tokenizer
from reader.checkpoint import file_sha256
from reader.errors import ReaderError
from reader.reading import FastPieces, XlmReader
from reader.weight_files import read_weights, weights_path
from reader.windows import PieceEncoder
from reader.xlm_settings import (
    CONFIG_FILE,
    PairName,
    read_json,
    special_token_names,
    uses_languages,
    xlm_settings,
)

if TYPE_CHECKING:
    from transformers import BertConfig, XLMConfig

    from reader.network import ReaderNetwork

_LINEAR = frozenset({"qa_outputs.weight", "qa_outputs.bias"})
_BEAM = frozenset(
    f"qa_outputs.{part}"
    for part in (
        *("start_logits.dense.weight", "start_logits.dense.bias"),
        *("end_logits.dense_0.weight", "end_logits.dense_0.bias"),
        *("end_logits.LayerNorm.weight", "end_logits.LayerNorm.bias"),
        *("end_logits.dense_1.weight", "end_logits.dense_1.bias"),
        *("answer_class.dense_0.weight", "answer_class.dense_0.bias", "answer_class.dense_1.weight"),
    )
)


def load_xlm_reader(
    directory: Path, *, device: str = "auto", pair: PairName | None = None, allow_pickle: bool = False
) -> XlmReader:
    """Load an ``XLMForQuestionAnswering`` or ``XLMForQuestionAnsweringSimple`` checkpoint directory.

    ``pair`` overrides the recorded pair format: ``current`` is ``<s> question </s> passage </s>`` with CLS at the first
    separator, ``2020`` is ``</s> question </s> passage </s>`` with CLS at the first token, as transformers built it
    then. Raise ReaderError for another kind of model, a missing or partial head, a damaged file, or a pickle where
    ``allow_pickle`` does not admit one.
    """
    from reader.engine import Engine

    config = read_config(directory)
    source = weights_path(directory, allow_pickle=allow_pickle)
    linear_head, network = load_xlm_network(source, config)
    pieces, special = _load_pieces(directory, config)
    settings = xlm_settings(directory, config, special, pair)
    if linear_head and settings.no_answer == "class":
        raise ReaderError(f"{directory}: no_answer is 'class', but this head has no answer class; record 'null'")
    engine = Engine(network, choose_compute(device), pad=settings.pair.pad, beams=settings.beams)
    return XlmReader(settings, pieces, engine, revision=file_sha256(source)[:12])


def read_config(directory: Path) -> XLMConfig:
    """Read ``config.json``; any model but a bidirectional XLM encoder is a ReaderError that names what it is."""
    from transformers import XLMConfig

    raw = read_json(directory / CONFIG_FILE)
    if raw.get("model_type") != "xlm":
        raise ReaderError(
            f"{directory}: model_type {raw.get('model_type')!r} is no XLM model; load it with load_reader"
        )
    try:
        config: XLMConfig = XLMConfig.from_dict(raw)
    except Exception as error:  # its validation raises classes of its own
        reason = " ".join(str(error).split())[:200]
        raise ReaderError(
            f"{directory / CONFIG_FILE}: not an XLM configuration ({reason}); restore the file"
        ) from error
    if config.causal or not config.is_encoder:
        raise ReaderError(
            f"{directory}: a causal XLM (causal or not is_encoder) cannot be read; give a bidirectional one"
        )
    return config


def load_xlm_network(source: Path, config: XLMConfig) -> tuple[bool, ReaderNetwork]:
    """Return whether the head in the weights file is the linear one, and the network in float32."""
    from reader.network import assemble

    state = read_weights(source)
    linear_head = _has_linear_head(state, source)
    prefix = "transformer."
    body = {name.removeprefix(prefix): tensor.float() for name, tensor in state.items() if name.startswith(prefix)}
    try:
        bert = xlm_to_bert(body, config.n_layers, use_languages=uses_languages(config))
    except KeyError as error:
        raise ReaderError(f"{source}: {prefix}{error.args[0]} is missing; restore the file") from error
    network_state = {f"{prefix}{name}": tensor for name, tensor in bert.items()}
    network_state |= {name: state[name].float() for name in (_LINEAR if linear_head else _BEAM)}
    return linear_head, assemble(_bert_config(config), network_state, source=source, linear_head=linear_head)


def _has_linear_head(names: Iterable[str], source: Path) -> bool:
    found = set(names)
    if found >= _BEAM:
        return False
    if found >= _LINEAR:
        return True
    missing = sorted((_LINEAR if found & _LINEAR else _BEAM) - found)
    raise ReaderError(
        f"{source} has no whole question answering head: {', '.join(missing)} missing; "
        "give a checkpoint that was fine-tuned for question answering"
    )


def _bert_config(config: XLMConfig) -> BertConfig:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.emb_dim,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        intermediate_size=4 * config.emb_dim,
        hidden_act="gelu" if config.gelu_activation else "relu",
        max_position_embeddings=config.max_position_embeddings,
        type_vocab_size=config.n_langs if uses_languages(config) else 1,
        layer_norm_eps=config.layer_norm_eps,
        pad_token_id=config.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def _load_pieces(directory: Path, config: XLMConfig) -> tuple[PieceEncoder, dict[str, int]]:
    """Return the checkpoint's piece encoder and the ids of its special tokens by role."""
    names = special_token_names(directory)
    pieces: PieceEncoder
    if (directory / TOKENIZER_FILE).is_file():
        tokenizer = load_tokenizer(directory)
        pieces, vocabulary = FastPieces(tokenizer), tokenizer.get_vocab()
    else:
        slow = load_xlm_tokenizer(directory)
        pieces, vocabulary = XlmPieces(slow), slow.encoder
    missing = sorted({name for name in names.values() if name not in vocabulary})
    if missing:
        raise ReaderError(f"{directory}: the vocabulary has no {', '.join(missing)}; restore the tokenizer's files")
    if max(vocabulary.values()) >= config.vocab_size:
        largest = max(vocabulary.values())
        raise ReaderError(
            f"{directory}: token id {largest} is beyond vocab_size {config.vocab_size}; restore the files"
        )
    return pieces, {role: vocabulary[name] for role, name in names.items()}
