"""Weights in eight bits: each row of a matrix as whole numbers from -127 to 127 and one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SCALE = ".scale"
"""The end of the name under which the scales of a matrix are kept, (rows,)."""


def quantize(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return matrices as int8 beside their scales, and all other tensors as they are.

    A row's scale is its largest magnitude over 127, so that no weight is off by more than half of it; a row of zeros
    has the scale 0.
    """
    import torch

    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim != 2:
            packed[name] = tensor
            continue
        scale = tensor.float().abs().amax(dim=1) / 127
        steps = tensor.float() / torch.where(scale > 0, scale, 1).unsqueeze(1)
        packed |= {name: steps.round().to(torch.int8), name + SCALE: scale}
    return packed


def dequantize(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what ``quantize`` was given, in float32; a matrix without scales beside it is only converted."""
    return {
        name: tensor.float() * packed[name + SCALE].unsqueeze(1) if name + SCALE in packed else tensor.float()
        for name, tensor in packed.items()
        if not name.endswith(SCALE)
    }
