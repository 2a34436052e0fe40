"""Readers by their names on a hub: what is fetched, and what is said where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reader import ReaderError, load_reader, question_answering

NAME = "someone/tiny-reader"
WEIGHTS, PICKLE = "model.safetensors", "pytorch_model.bin"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The library reads the variable once, when it is imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


class Hub:
    """A hub with one model: a directory, of which only the files that are asked for are given."""

    def __init__(self, model: Path, cache: Path) -> None:
        self.model = model
        self.snapshot = cache / "0123abcd"
        self.asked: list[list[str]] = []

    def download(self, name: str, *, allow_patterns: list[str], **options: Any) -> str:
        assert name == NAME
        self.asked.append(allow_patterns)
        self.snapshot.mkdir(exist_ok=True)
        for pattern in allow_patterns:
            for path in self.model.glob(pattern):
                shutil.copy(path, self.snapshot)
        return str(self.snapshot)


@pytest.fixture
def hub(simple_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    served = Hub(shutil.copytree(simple_checkpoint, tmp_path / "model"), tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", served.download)
    return served


@pytest.mark.parametrize("name", ["mrm8488/xlm-multi-finetuned-xquadv1", "tiny-reader"])
@pytest.mark.usefixtures("offline")
def test_without_a_network_a_name_is_refused_in_one_line(name: str) -> None:
    for load in (load_reader, question_answering):
        with pytest.raises(ReaderError, match=rf"{name} is no directory.*give the path of a checkpoint dir") as caught:
            load(name, device="cpu")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["./tiny-reader", "/tiny-reader", "a/b/c", ".hidden", Path("someone/tiny-reader")])
def test_what_can_only_be_a_path_is_not_looked_up(path: str | Path, hub: Hub) -> None:
    with pytest.raises(ReaderError, match="no reader there"):
        load_reader(path, device="cpu")
    assert hub.asked == []


def test_a_name_is_fetched_and_stays_the_readers_name(hub: Hub) -> None:
    (hub.model / PICKLE).write_bytes(b"never fetched")
    assert load_reader(NAME, device="cpu", allow_pickle=True).name == NAME
    assert hub.asked == [["*.safetensors", "*.json", "*.txt", "*.model"]]


def test_a_pickle_is_fetched_only_where_it_is_allowed(hub: Hub) -> None:
    torch.save(load_file(hub.model / WEIGHTS), hub.model / PICKLE)
    (hub.model / WEIGHTS).unlink()
    with pytest.raises(ReaderError, match=rf"{NAME} has no {WEIGHTS}.*allow_pickle=True \(--allow-pickle\)"):
        load_reader(NAME, device="cpu")
    assert not (hub.snapshot / PICKLE).exists()
    assert question_answering(NAME, device="cpu", allow_pickle=True).reader.name == NAME
    assert hub.asked[-1] == [PICKLE]


def test_a_directory_of_that_name_comes_first(
    hub: Hub, simple_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(simple_checkpoint, tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    assert load_reader(NAME, device="cpu").name == "tiny-reader"
    assert hub.asked == []
