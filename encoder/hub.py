"""Fetch a model's files from the Hugging Face hub, where there is a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from encoder.errors import ModelError
from encoder.libraries import first_line, quiet_transformers

# What a model is made of where no file of it can run code.
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")
OTHER_RUNTIMES = ("onnx", "openvino")
_HUB_NAME = re.compile(r"(?!\.)[\w.-]+(/[\w.-]+)?")


def is_hub_name(text: str) -> bool:
    """Tell whether a text can be the name of a model on a hub: ``name`` or ``owner/name``."""
    return _HUB_NAME.fullmatch(text) is not None


def fetch_model(name: str, *, cure: str, files: Sequence[str] = MODEL_FILES) -> Path:
    """Return a local directory with the model's files that match ``files``; those of other runtimes are left out.

    What was fetched before is not fetched again. Any failure is a ModelError of one line that ends in ``cure``.
    """
    try:
        with quiet_transformers():
            from huggingface_hub import snapshot_download

            ignored = [f"{folder}/*" for folder in OTHER_RUNTIMES]
            return Path(snapshot_download(name, allow_patterns=list(files), ignore_patterns=ignored))
    except Exception as error:  # the hub client's errors share no root
        raise ModelError(
            f"{name} is no directory here, and no hub gave a model of that name ({first_line(error)}): {cure}"
        ) from error
