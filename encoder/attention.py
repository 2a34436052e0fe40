"""Attention by plain matrix products, for bfloat16 on a CPU.

PyTorch's fused attention is slow there for heads as narrow as ours: on 19 windows of 160 tokens (12 heads of 32)
forward and backward took 57 ms, and the same as plain products and a softmax 17 ms (2 cores, AVX-512 bf16). In float32,
and on a GPU, the fused one is faster and stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from encoder.compute import Compute

if TYPE_CHECKING:
    from torch.autograd.function import FunctionCtx
    from transformers import PreTrainedModel

PRODUCTS = "spanglot_products"
"""The name by which transformers knows it."""

# Encoders whose attention is masked for padding alone; causal and sliding masks would be lost.
_EXCHANGEABLE = frozenset({"albert", "bert", "camembert", "distilbert", "electra", "ernie", "roberta", "xlm-roberta"})


def set_attention(model: PreTrainedModel, compute: Compute) -> None:
    """Give a model the attention that is fastest where it runs, if its own may be exchanged."""
    is_reduced = compute.device.type == "cpu" and compute.dtype == torch.bfloat16
    if not is_reduced or model.config.model_type not in _EXCHANGEABLE:
        return
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(PRODUCTS, _attend_layer)
    AttentionMaskInterface.register(PRODUCTS, _padding_bias)
    model.set_attn_implementation(PRODUCTS)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """Return softmax(scale · query · keyᵀ + bias) · value; all (batch, heads, length, size), ``bias`` broadcastable."""
    output: Tensor = _Attention.apply(query, key, value, bias, scale)  # type: ignore[no-untyped-call]
    return output


class _Attention(torch.autograd.Function):
    """The gradients by hand: autograd would keep the scores and the probabilities, and make more copies."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float
    ) -> Tensor:
        scores = torch.matmul(query, key.transpose(-1, -2)).mul_(scale)
        if bias is not None:
            scores.add_(bias)
        weights = torch.softmax(scores, dim=-1)
        ctx.save_for_backward(query, key, value, weights)
        ctx.scale = scale  # type: ignore[attr-defined]
        return torch.matmul(weights, value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, weights = ctx.saved_tensors
        of_value = torch.matmul(weights.transpose(-1, -2), gradient)
        of_weights = torch.matmul(gradient, value.transpose(-1, -2))
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(ctx.scale)
        return torch.matmul(of_scores, key), torch.matmul(of_scores.transpose(-1, -2), query), of_value, None, None


def _attend_layer(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    **unused: object,
) -> tuple[Tensor, None]:
    """The form in which transformers calls an attention; (batch, length, heads, size) comes back."""
    bias = None if attention_mask is None else attention_mask.to(query.dtype)
    return attend(query, key, value, bias, scaling).transpose(1, 2), None


def _padding_bias(
    *, attention_mask: Tensor | None = None, dtype: torch.dtype = torch.float32, **unused: object
) -> Tensor | None:
    """Return 0 for tokens and -inf for padding, (batch, 1, 1, length), from a (batch, length) mask; None for none."""
    if attention_mask is None or bool(attention_mask.all()):
        return None
    bias = torch.zeros(attention_mask.shape, dtype=dtype, device=attention_mask.device)
    return bias.masked_fill_(attention_mask == 0, -torch.inf)[:, None, None, :]
