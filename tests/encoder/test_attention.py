"""Attention by products agrees with PyTorch's own, forward and backward, and is chosen where it is faster."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, ModernBertConfig, ModernBertModel

from encoder.attention import PRODUCTS, attend, set_attention
from encoder.compute import Compute

CPU = torch.device("cpu")


def heads(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, key and value, (2 windows, 3 heads, 7 tokens, 4)."""
    drawn = torch.Generator().manual_seed(seed)
    first, second, third = (torch.randn(2, 3, 7, 4, generator=drawn, dtype=torch.float64) for _ in range(3))
    return first, second, third


def test_one_query_by_hand() -> None:
    # Scores 0 and ln 3 make weights 1/4 and 3/4; the third key is padding.
    query = torch.ones(1, 1, 1, 1)
    key = torch.tensor([0.0, float(torch.log(torch.tensor(3.0))), 50.0]).reshape(1, 1, 3, 1)
    value = torch.tensor([4.0, 8.0, 100.0]).reshape(1, 1, 3, 1)
    padding = torch.tensor([0.0, 0.0, -torch.inf]).reshape(1, 1, 1, 3)
    assert attend(query, key, value, padding, 1.0).item() == pytest.approx(7.0)


@pytest.mark.parametrize("padded", [False, True])
def test_values_and_gradients_are_those_of_pytorch(padded: bool) -> None:
    bias = torch.zeros(2, 1, 1, 7, dtype=torch.float64)
    bias[1, ..., 5:] = -torch.inf if padded else 0.0
    ours, theirs = ([each.requires_grad_() for each in heads(3)] for _ in range(2))
    weight = heads(4)[0]
    got = attend(*ours, bias, 0.5)
    wanted = torch.nn.functional.scaled_dot_product_attention(*theirs, attn_mask=bias.expand(2, 1, 7, 7), scale=0.5)
    assert torch.allclose(got, wanted)
    (got * weight).sum().backward()
    (wanted * weight).sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine.grad, other.grad)


def test_gradients_agree_with_finite_differences() -> None:
    query, key, value = (each.requires_grad_() for each in heads(5))
    assert torch.autograd.gradcheck(lambda q, k, v: attend(q, k, v, None, 0.7), (query, key, value))


def test_a_model_in_bfloat16_gives_what_it_gives_in_float32_whatever_the_padding() -> None:
    config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    torch.manual_seed(1)
    model = BertModel(config, add_pooling_layer=False).eval()
    ids = torch.randint(3, 50, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    with torch.no_grad():
        wanted = model(input_ids=ids, attention_mask=mask).last_hidden_state
        set_attention(model, Compute(CPU, torch.bfloat16))
        exact = model(input_ids=ids, attention_mask=mask).last_hidden_state
        alone = model(input_ids=ids[1:2, :6]).last_hidden_state
        reduced = model.to(torch.bfloat16)(input_ids=ids, attention_mask=mask).last_hidden_state
    shown = mask.bool()
    assert torch.allclose(exact[shown], wanted[shown], atol=1e-5)
    assert torch.allclose(exact[1, :6], alone[0], atol=1e-5)
    assert torch.allclose(reduced[shown].float(), wanted[shown], atol=0.1)


@pytest.mark.parametrize(
    ("device", "dtype", "wanted"),
    [("cpu", torch.bfloat16, PRODUCTS), ("cpu", torch.float32, "sdpa"), ("cuda", torch.bfloat16, "sdpa")],
)
def test_float32_and_a_gpu_keep_the_fused_attention(device: str, dtype: torch.dtype, wanted: str) -> None:
    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    model = BertModel(config, add_pooling_layer=False)
    set_attention(model, Compute(torch.device(device), dtype))
    assert model.config._attn_implementation == wanted


def test_a_model_with_sliding_windows_keeps_its_own() -> None:
    config = ModernBertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0)
    model = ModernBertModel(config)
    before = model.config._attn_implementation
    set_attention(model, Compute(CPU, torch.bfloat16))
    assert model.config._attn_implementation == before != PRODUCTS
