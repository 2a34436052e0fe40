"""Where and in which number format a model runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from encoder.errors import ModelError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and the dtype that it multiplies fastest without harm."""

    device: torch.device
    dtype: torch.dtype


def choose_compute(device: str = "auto") -> Compute:
    """Choose the device (``auto`` takes the GPU where there is one) and its dtype by probing.

    bfloat16 on a GPU that has it and on a CPU with AMX or AVX-512 bf16 instructions, where matrix products run several
    times faster than in float32; float32 on every other CPU, where bfloat16 is emulated and far slower.
    """
    import torch

    if device not in DEVICES:
        raise ModelError(f"device {device!r} is not known: choose one of {', '.join(DEVICES)}")
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ModelError("device 'cuda' was asked for, but no GPU is visible: choose 'cpu' or 'auto'")
    if device != "cpu" and has_gpu:
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = torch.bfloat16 if has_bf16 else torch.float32
        return Compute(torch.device("cuda"), dtype)
    return Compute(torch.device("cpu"), torch.bfloat16 if _cpu_multiplies_bf16() else torch.float32)


def _cpu_multiplies_bf16() -> bool:
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
