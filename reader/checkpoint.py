"""Load and save readers.

A directory with ``config.json`` is a transformers checkpoint (see ``reader.xlm`` and ``reader.pretrained``). One that
has only ``reader.json`` is of Spanglot's own form: the file holds the settings and the sha256 of ``model.safetensors``,
which holds only what training changed; everything else comes from the base encoder.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.base import WEIGHTS_FILE, base_model_directory, base_weights
from encoder.compute import choose_compute
from encoder.errors import ModelError
from encoder.hub import fetch_model, is_hub_name
from encoder.tokenization import load_tokenizer
from encoder.weights import write_weights
from reader.errors import ReaderError
from reader.quantization import dequantize, quantize
from reader.reading import FastPieces, XlmReader
from reader.settings import FORMAT, SETTINGS_FILE, ReaderSettings, read_settings, settings_json
from reader.weight_files import ALLOW_PICKLE, PICKLE_FILE

if TYPE_CHECKING:
    import torch

    from reader.network import ReaderNetwork


def default_reader_directory() -> Path:
    """Return where the reader that ships with Spanglot is kept."""
    return Path(__file__).parent / "weights" / "default"


def load_reader(path: str | Path | None = None, *, device: str = "auto", allow_pickle: bool = False) -> XlmReader:
    """Load a reader: the one that ships with Spanglot (None), or a checkpoint by directory or by its name on a hub.

    A text that is no directory here and has the form ``owner/name`` or ``name`` is fetched, where there is a network; a
    directory causes no network call. ``device`` is ``auto``, ``cpu`` or ``cuda``. ``allow_pickle`` reads
    ``pytorch_model.bin`` where there are no safetensors, as plain weights only; code that comes with a model is never
    run. Raise ReaderError (or the encoder's ModelError) with a one-line message for anything that is missing, damaged,
    or not a reader.
    """
    directory = default_reader_directory() if path is None else Path(path)
    if isinstance(path, str) and not directory.exists() and is_hub_name(path):
        fetched = _fetch(path, allow_pickle)
        reader = _load(fetched, device, allow_pickle)
        # The hub's cache calls a directory by its commit.
        return reader.with_settings(name=path) if reader.name == fetched.name else reader
    return _load(directory, device, allow_pickle)


def _fetch(name: str, allow_pickle: bool) -> Path:
    cure = "give the path of a checkpoint directory"
    try:
        directory = fetch_model(name, cure=cure)
        if any(directory.glob("*.safetensors")):
            return directory
        if not allow_pickle:
            raise ReaderError(
                f"{name} has no {WEIGHTS_FILE}: {cure} that has one, or, where you trust its source with a pickle "
                f"({PICKLE_FILE}), {ALLOW_PICKLE}"
            )
        return fetch_model(name, cure=cure, files=[PICKLE_FILE])
    except ModelError as error:
        raise ReaderError(str(error)) from error


def _load(directory: Path, device: str, allow_pickle: bool) -> XlmReader:
    if (directory / "config.json").is_file():
        return _load_pretrained(directory, device, allow_pickle)
    if (directory / SETTINGS_FILE).is_file():
        return _load_own(directory, device)
    raise ReaderError(f"{directory}: no reader there (neither {SETTINGS_FILE} nor config.json); check the path")


def _load_pretrained(directory: Path, device: str, allow_pickle: bool) -> XlmReader:
    from reader.pretrained import load_pretrained_reader
    from reader.xlm import load_xlm_reader
    from reader.xlm_settings import CONFIG_FILE, read_json

    if read_json(directory / CONFIG_FILE).get("model_type") == "xlm":
        return load_xlm_reader(directory, device=device, allow_pickle=allow_pickle)
    return load_pretrained_reader(directory, device=device, allow_pickle=allow_pickle)


def _load_own(directory: Path, device: str) -> XlmReader:
    from reader.engine import Engine

    settings = read_settings(directory / SETTINGS_FILE)
    digest = _verify(directory)
    network = load_network(directory)
    pieces = FastPieces(load_tokenizer(base_model_directory()))
    engine = Engine(network, choose_compute(device), pad=settings.pair.pad, beams=settings.beams)
    return XlmReader(settings, pieces, engine, revision=digest[:12])


def load_network(directory: Path) -> ReaderNetwork:
    """Load the network of one of Spanglot's own readers in float32: the base encoder with what training changed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import BertConfig

    from reader.network import assemble

    state = {f"transformer.{name}": tensor for name, tensor in base_weights().items()}
    try:
        trained = load_file(directory / WEIGHTS_FILE)
    except (OSError, SafetensorError) as error:
        raise ReaderError(f"{directory / WEIGHTS_FILE} cannot be read ({error}); restore the file") from error
    state.update(dequantize(trained))
    base = base_model_directory()
    config = BertConfig.from_pretrained(base, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return assemble(config, state, source=directory / WEIGHTS_FILE)


def save_reader(directory: Path, settings: ReaderSettings, trained: dict[str, torch.Tensor]) -> None:
    """Write a reader: the trained tensors, matrices in eight bits, and the settings with the file's sha256."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.items()}
    write_weights(directory / WEIGHTS_FILE, quantize(tensors))
    write_settings(directory, settings)


def write_settings(directory: Path, settings: ReaderSettings) -> None:
    """Write ``reader.json``, whole or not at all, beside weights that are already there."""
    content = {
        "format": FORMAT,
        "weights_sha256": file_sha256(directory / WEIGHTS_FILE),
        "settings": settings_json(settings),
    }
    part = directory / f"{SETTINGS_FILE}.part"
    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    part.replace(directory / SETTINGS_FILE)


def _verify(directory: Path) -> str:
    weights = directory / WEIGHTS_FILE
    if not weights.is_file():
        raise ReaderError(f"{weights} is missing; restore the file")
    wanted = json.loads((directory / SETTINGS_FILE).read_text(encoding="utf-8")).get("weights_sha256")
    found = file_sha256(weights)
    if found != wanted:
        raise ReaderError(f"{weights} is damaged: its sha256 is {found}, {wanted} is recorded; restore the file")
    return found


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
