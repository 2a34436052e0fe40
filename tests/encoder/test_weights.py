import os
import resource
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from encoder.weights import write_weights

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(100_000)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", TENSORS)
    assert (tmp_path / "w.safetensors").stat().st_mode & 0o777 == 0o644
    found = load_file(tmp_path / "w.safetensors")
    assert {name: tensor.tolist() for name, tensor in found.items()} == {
        name: tensor.tolist() for name, tensor in TENSORS.items()
    }


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_weights(tmp_path / "nowhere" / "w.safetensors", TENSORS)
    assert caught.value.filename == str(tmp_path / "nowhere" / "w.safetensors")


def test_a_disk_that_takes_no_more_is_an_error_of_the_system_and_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_weights(tmp_path / "w.safetensors", TENSORS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert os.listdir(tmp_path) == []
