"""Weights files: which one is read, and that none of them can run code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from reader.errors import ReaderError
from reader.weight_files import read_weights, weights_path


class Harmful:
    """Would leave a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    return tmp_path / "pytorch_model.bin"


def test_a_pickle_gives_its_tensors_by_name(pickled: Path) -> None:
    state = {"a": torch.arange(3), "b": torch.ones(2, 2)}
    torch.save(state, pickled)
    read = read_weights(weights_path(pickled.parent, allow_pickle=True))
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_safetensors_come_first(pickled: Path, tmp_path: Path) -> None:
    torch.save({}, pickled)
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    for allowed in (False, True):
        assert weights_path(tmp_path, allow_pickle=allowed).name == "model.safetensors"


def test_no_pickle_runs_code(pickled: Path, tmp_path: Path) -> None:
    torch.save({"a": Harmful(tmp_path / "touched")}, pickled)
    with pytest.raises(ReaderError, match="cannot be read as plain weights") as caught:
        read_weights(pickled)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}])
def test_a_pickle_of_anything_but_tensors_is_refused(pickled: Path, content: object) -> None:
    torch.save(content, pickled)
    with pytest.raises(ReaderError, match="does not hold tensors by name"):
        read_weights(pickled)


@pytest.mark.parametrize("name", ["training_args.bin", "optimizer.bin"])
def test_only_a_file_of_weights_is_taken_for_one(name: str, tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / name)
    with pytest.raises(ReaderError, match=r"model\.safetensors is missing"):
        weights_path(tmp_path, allow_pickle=True)


def test_weights_in_several_pickles_are_refused(pickled: Path) -> None:
    pickled.with_name("pytorch_model.bin.index.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReaderError, match="in several files"):
        weights_path(pickled.parent, allow_pickle=True)
