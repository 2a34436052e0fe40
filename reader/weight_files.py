"""Read the weights of a transformers checkpoint directory: safetensors, or a pickle where that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from encoder.base import WEIGHTS_FILE
from encoder.libraries import first_line
from reader.errors import ReaderError

if TYPE_CHECKING:
    import torch

PICKLE_FILE = "pytorch_model.bin"
ALLOW_PICKLE = "pass allow_pickle=True (--allow-pickle)"


def weights_path(directory: Path, *, allow_pickle: bool = False) -> Path:
    """Return the weights file of a checkpoint, safetensors first; raise ReaderError where none may be read."""
    safetensors, pickled = directory / WEIGHTS_FILE, directory / PICKLE_FILE
    if safetensors.is_file():
        return safetensors
    if pickled.is_file():
        if allow_pickle:
            return pickled
        raise ReaderError(
            f"{pickled} is a pickle, a format that can hold code, and is refused: convert it to {WEIGHTS_FILE}, or, "
            f"where you trust its source, {ALLOW_PICKLE}"
        )
    for name in (WEIGHTS_FILE, PICKLE_FILE):
        if (directory / f"{name}.index.json").is_file():
            raise ReaderError(f"{directory}: the weights are in several files; join them to one {WEIGHTS_FILE}")
    raise ReaderError(f"{safetensors} is missing; restore the file")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a weights file onto the CPU; a damaged one, or a pickle of anything but tensors, is a ReaderError."""
    if path.name == PICKLE_FILE:
        return _unpickle(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ReaderError(f"{path} cannot be read ({error}); restore the file") from error


def _unpickle(path: Path) -> dict[str, torch.Tensor]:
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the file decides what is raised
        raise ReaderError(f"{path} cannot be read as plain weights ({first_line(error)}); restore the file") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ReaderError(f"{path} does not hold tensors by name; give the weights of a model")
    return state
