"""Write weights so that a full disk is an OSError, as with every other file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, complete or not at all; raise OSError where the disk refuses."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(tensors), path, metadata={"format": "pt"})
    except SafetensorError as error:
        # The library has one class for all errors, and the system's number only in its message.
        found = _SYSTEM_ERROR.search(str(error))
        if found is None:
            raise
        number = int(found.group(1))
        raise OSError(number, os.strerror(number), str(path)) from error
    # The library lets only the owner read it.
    path.chmod(0o644)
