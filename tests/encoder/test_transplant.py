"""XLM and BERT layouts hold the same model: hidden states agree both ways."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, XLMConfig, XLMModel

from encoder.transplant import bert_to_xlm, xlm_to_bert

IDS = torch.tensor([[0, 9, 8, 7, 6, 5, 1], [0, 11, 12, 1, 2, 2, 2]])
MASK = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
LANGUAGES = torch.tensor([[0, 0, 0, 2, 2, 2, 2], [1, 1, 2, 2, 0, 0, 0]])
SIZE = {"vocab_size": 40, "pad_token_id": 2}


def xlm_model(languages: int = 1, **config: object) -> XLMModel:
    torch.manual_seed(3)
    shape = {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "n_langs": languages, "use_lang_emb": languages > 1}
    model = XLMModel(XLMConfig(**(SIZE | shape | {"max_position_embeddings": 16, "embed_init_std": 0.5} | config)))
    return randomized(model)


def bert_model(token_types: int = 1, activation: str = "gelu") -> BertModel:
    torch.manual_seed(4)
    config = BertConfig(
        **SIZE,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=16,
        type_vocab_size=token_types,
        hidden_act=activation,
        layer_norm_eps=1e-12,
    )
    return randomized(BertModel(config, add_pooling_layer=False))


def randomized(model: torch.nn.Module) -> torch.nn.Module:
    """Move every weight, biases and norms too, so that none may be swapped or left out unseen."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model.eval()


@torch.inference_mode()
def states(model: torch.nn.Module, **inputs: torch.Tensor) -> torch.Tensor:
    """Return the hidden states of all real tokens."""
    hidden = model(input_ids=IDS, attention_mask=MASK, **inputs).last_hidden_state
    return hidden[MASK.bool()]


@pytest.mark.parametrize("config", [{}, {"sinusoidal_embeddings": True}, {"asm": True}])
def test_xlm_runs_as_bert(config: dict[str, object]) -> None:
    xlm, bert = xlm_model(**config), bert_model()
    bert.load_state_dict(xlm_to_bert(xlm.state_dict(), 2))
    assert torch.allclose(states(xlm), states(bert), atol=1e-5)


def test_xlm_with_relu_runs_as_bert_with_relu() -> None:
    xlm, relu, gelu = xlm_model(gelu_activation=False), bert_model(activation="relu"), bert_model()
    relu.load_state_dict(xlm_to_bert(xlm.state_dict(), 2))
    gelu.load_state_dict(xlm_to_bert(xlm.state_dict(), 2))
    assert torch.allclose(states(xlm), states(relu), atol=1e-5)
    assert not torch.allclose(states(xlm), states(gelu), atol=1e-2)


def test_language_embeddings_become_token_types() -> None:
    xlm, bert = xlm_model(languages=3), bert_model(token_types=3)
    bert.load_state_dict(xlm_to_bert(xlm.state_dict(), 2, use_languages=True))
    assert torch.allclose(states(xlm, langs=LANGUAGES), states(bert, token_type_ids=LANGUAGES), atol=1e-5)
    assert not torch.allclose(states(xlm, langs=LANGUAGES), states(xlm), atol=1e-2)


def test_without_languages_the_token_type_table_is_one_row_of_zeros() -> None:
    table = xlm_to_bert(xlm_model(languages=3).state_dict(), 2)["embeddings.token_type_embeddings.weight"]
    assert table.shape == (1, 32)
    assert not table.any()


def test_bert_runs_as_xlm_only_with_its_token_type_row_in_the_positions() -> None:
    bert, xlm = bert_model(token_types=2), xlm_model()
    carried = bert_to_xlm(bert.state_dict(), 2)
    xlm.load_state_dict(carried)
    assert torch.allclose(states(bert), states(xlm), atol=1e-5)
    carried["position_embeddings.weight"] = bert.state_dict()["embeddings.position_embeddings.weight"]
    xlm.load_state_dict(carried)
    assert (states(bert) - states(xlm)).abs().max() > 0.1


def test_there_and_back_is_the_same_model() -> None:
    xlm = xlm_model()
    there = xlm_to_bert(xlm.state_dict(), 2)
    back = bert_to_xlm(there, 2)
    assert back.keys() == xlm.state_dict().keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in xlm.state_dict().items())


def test_a_missing_tensor_is_named() -> None:
    state = xlm_model().state_dict()
    del state["ffns.1.lin2.bias"]
    with pytest.raises(KeyError, match=r"ffns\.1\.lin2\.bias"):
        xlm_to_bert(state, 2)
