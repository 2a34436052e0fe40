"""XLM's blocks are BERT's: carry weights from one layout to the other.

With learned positions, GELU and a padding mask an XLM layer computes what a BERT layer computes (both post-norm), so
an XLM checkpoint runs in ``BertModel``, with its SDPA attention, and a BERT encoder can be offered as XLM. Language
embeddings, where they are used, take the place of token-type embeddings. XLM has no token-type table, so on the way
to XLM token-type row 0, which BERT adds to every position, is added to the position rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_LAYER_NAMES = {
    "attentions.{i}.q_lin": "attention.self.query",
    "attentions.{i}.k_lin": "attention.self.key",
    "attentions.{i}.v_lin": "attention.self.value",
    "attentions.{i}.out_lin": "attention.output.dense",
    "layer_norm1.{i}": "attention.output.LayerNorm",
    "ffns.{i}.lin1": "intermediate.dense",
    "ffns.{i}.lin2": "output.dense",
    "layer_norm2.{i}": "output.LayerNorm",
}
_EMBEDDINGS = {
    "embeddings.weight": "embeddings.word_embeddings.weight",
    "position_embeddings.weight": "embeddings.position_embeddings.weight",
    "layer_norm_emb.weight": "embeddings.LayerNorm.weight",
    "layer_norm_emb.bias": "embeddings.LayerNorm.bias",
}
_TOKEN_TYPES = "embeddings.token_type_embeddings.weight"
_LANGUAGES = "lang_embeddings.weight"


def _names(layers: int) -> dict[str, str]:
    """Return BERT's name for each of XLM's, without the languages."""
    names = dict(_EMBEDDINGS)
    for layer in range(layers):
        for xlm, bert in _LAYER_NAMES.items():
            for kind in ("weight", "bias"):
                names[f"{xlm.format(i=layer)}.{kind}"] = f"encoder.layer.{layer}.{bert}.{kind}"
    return names


def xlm_to_bert(state: Mapping[str, Tensor], layers: int, *, use_languages: bool = False) -> dict[str, Tensor]:
    """Return a ``BertModel`` state from an ``XLMModel`` state (names without a ``transformer.`` prefix).

    With ``use_languages`` the language embeddings become the token-type table, so token type ids are language ids;
    else that table is one row of zeros. A missing tensor is a KeyError.
    """
    import torch

    bert = {theirs: state[ours] for ours, theirs in _names(layers).items()}
    positions = state["position_embeddings.weight"]
    no_types = torch.zeros(1, positions.shape[1], dtype=positions.dtype)
    bert[_TOKEN_TYPES] = state[_LANGUAGES] if use_languages else no_types
    return bert


def bert_to_xlm(state: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Return an ``XLMModel`` state from a ``BertModel`` state whose token types are all 0."""
    xlm = {ours: state[theirs] for ours, theirs in _names(layers).items()}
    xlm["position_embeddings.weight"] = state["embeddings.position_embeddings.weight"] + state[_TOKEN_TYPES][0]
    return xlm
