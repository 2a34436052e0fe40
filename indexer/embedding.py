"""Texts to unit vectors: the protocol, and the one implementation over sentence-transformers."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from encoder.base import BASE_NAME, base_model_directory
from encoder.compute import choose_compute
from encoder.errors import ModelError
from encoder.hub import MODEL_FILES, OTHER_RUNTIMES, fetch_model, is_hub_name
from encoder.libraries import first_line, quiet_transformers
from indexer.manifest import EmbedderIdentity

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]
_E5_NAME = re.compile(r"(^|[-_/])e5([-_.]|$)", re.IGNORECASE)
# On a GPU texts fill a batch by number; on a CPU by bytes, for batches beyond its caches took 1.35 times as long.
_GPU_BATCH, _CPU_BATCH, _CPU_BATCH_BYTES = 128, 64, 6000


class Embedder(Protocol):
    """Gives vectors to questions and to passages; prefixes are its own business.

    ``revision`` changes whenever the vectors would. Both methods return float32 arrays (n, dimension) with rows of unit
    length, (0, dimension) for no texts, and may be called from several threads.
    """

    @property
    def name(self) -> str:
        """What ``load_embedder`` loads it by."""
        ...

    @property
    def revision(self) -> str:
        """A hash of everything that the vectors depend on."""
        ...

    @property
    def dimension(self) -> int:
        """The number of values in a vector."""
        ...

    def encode_query(self, texts: list[str]) -> Floats:
        """Return the vectors of questions."""
        ...

    def encode_document(self, texts: list[str]) -> Floats:
        """Return the vectors of passages."""
        ...


def identity(embedder: Embedder) -> EmbedderIdentity:
    """Return what an index records of an embedder."""
    return EmbedderIdentity(name=embedder.name, revision=embedder.revision, dimension=embedder.dimension)


def load_embedder(name_or_path: str | None = None, *, device: str = "auto") -> SentenceTransformerEmbedder:
    """Load the base encoder (None), or any sentence-transformers model by directory or, where there is a hub, by name.

    A local directory causes no network call; code that comes with a model is never run; weights are safetensors only.
    Raise ModelError, naming the path, for what is missing, damaged or of another kind.
    """
    if name_or_path is None or name_or_path == BASE_NAME:
        return _load(BASE_NAME, base_model_directory(), device)
    directory = Path(os.path.expanduser(name_or_path))
    if directory.is_dir():
        return _load(str(directory.resolve()), directory, device)
    if directory.exists() or not is_hub_name(name_or_path):
        raise ModelError(f"there is no model directory at {name_or_path}: give a sentence-transformers directory")
    full_name = name_or_path if "/" in name_or_path else f"sentence-transformers/{name_or_path}"
    fetched = fetch_model(full_name, cure="give the path of a sentence-transformers directory")
    return _load(name_or_path, fetched, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What stands before a question and before a passage."""

    query: str
    document: str


class SentenceTransformerEmbedder:
    """A sentence-transformers model as an ``Embedder``."""

    def __init__(self, model: SentenceTransformer, *, name: str, revision: str, prompts: Prompts) -> None:
        dimension = model.get_embedding_dimension()
        if dimension is None:
            raise ModelError(f"{name} does not say how long its vectors are: give a sentence-transformers model")
        self.name = name
        self.revision = revision
        self.dimension: int = dimension
        self.prompts = prompts
        self._model = model
        # Fast tokenizers refuse to be used by two threads at once.
        self._lock = threading.Lock()

    def encode_query(self, texts: list[str]) -> Floats:
        """Return the vectors of questions."""
        return self._encode(texts, self.prompts.query, "query")

    def encode_document(self, texts: list[str]) -> Floats:
        """Return the vectors of passages."""
        return self._encode(texts, self.prompts.document, "document")

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Floats:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with self._lock:
            # The library sorts by length itself, so that a batch holds little padding.
            vectors = self._model.encode(
                list(texts),
                prompt=prompt,
                task=task,
                batch_size=self._batch_size(texts),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        # In float32, since a bfloat16 model normalises to three digits only.
        full = np.asarray(vectors, np.float32)
        unit: Floats = full / np.maximum(np.linalg.norm(full, axis=1, keepdims=True), np.float32(1e-12))
        return unit

    def _batch_size(self, texts: Sequence[str]) -> int:
        if self._model.device.type != "cpu":
            return _GPU_BATCH
        typical = sorted(len(text.encode("utf-8", "surrogatepass")) for text in texts)[len(texts) // 2]
        return max(4, min(_CPU_BATCH, _CPU_BATCH_BYTES // max(1, typical)))


def resolve_prompts(name: str, configured: Mapping[str, str | None]) -> Prompts:
    """Choose the prompts of a model: its own, else those of the E5 family where its name is of that family."""
    # The library fills in empty prompts, so an empty one says nothing.
    query = configured.get("query")
    document = next((prompt for key in ("document", "passage", "corpus") if (prompt := configured.get(key))), None)
    if not query and not document and _E5_NAME.search(name) and "instruct" not in name.lower():
        return Prompts(query="query: ", document="passage: ")
    return Prompts(query="" if query is None else query, document="" if document is None else document)


def _load(name: str, directory: Path, device: str) -> SentenceTransformerEmbedder:
    if not any((directory / file).is_file() for file in ("modules.json", "config.json")):
        raise ModelError(f"{directory} holds no model (no modules.json): give a sentence-transformers directory")
    if not any(directory.rglob("*.safetensors")):
        raise ModelError(f"{directory} has no weights as safetensors: convert them, other formats can hold code")
    compute = choose_compute(device)
    try:
        with quiet_transformers():
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(
                str(directory.resolve()),
                device=str(compute.device),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": compute.dtype, "use_safetensors": True},
            )
    except Exception as error:  # whatever a library says of a damaged file, the cure is the same
        raise ModelError(
            f"the model at {directory} cannot be loaded ({first_line(error)}): restore it from where it came"
        ) from error
    from encoder.attention import set_attention

    if model.transformers_model is not None:
        set_attention(model.transformers_model, compute)
    prompts = resolve_prompts(directory.name if Path(name).is_absolute() else name, model.prompts)
    model.default_prompt_name = None
    return SentenceTransformerEmbedder(model, name=name, revision=_revision(directory, prompts), prompts=prompts)


def _revision(directory: Path, prompts: Prompts) -> str:
    digest = hashlib.sha256(repr((prompts.query, prompts.document)).encode())
    paths = {path for pattern in MODEL_FILES for path in directory.rglob(pattern) if path.is_file()}
    for path in sorted(paths, key=lambda path: path.relative_to(directory).as_posix()):
        relative = path.relative_to(directory)
        if relative.parts[0] in OTHER_RUNTIMES:
            continue
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(relative.as_posix().encode() + b"\0" + content)
    return digest.hexdigest()[:16]
