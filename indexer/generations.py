"""Published generations as they are read: derived files, their manifest, and the pointer to the current one."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer import errors, files, lexical, vectors
from indexer.manifest import IndexManifest
from indexer.store import PassageStore

POINTER_FILE = "CURRENT"
GENERATIONS = "generations"
MANIFEST_FILE = "manifest.json"
VECTORS_FILE = "vectors.faiss"
KEYS_FILE = "passages.npy"
LEXICAL_FILE = "lexical.arrays"
DERIVED_FILES = (VECTORS_FILE, KEYS_FILE, LEXICAL_FILE)
_LARGEST_POINTER = 4096
_LARGEST_MANIFEST = 1 << 20
_REBUILD = "run `spanglot verify --repair`, or `spanglot index` again with the same sources; nothing is embedded again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What ``CURRENT`` says: a generation and the hash of its manifest."""

    generation: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A generation whose files are what its manifest says, in memory."""

    manifest: IndexManifest
    vectors: vectors.FlatVectorIndex
    lexical: lexical.LexicalIndex


def read_pointer(directory: Path) -> Pointer | None:
    """Return what is current, None where nothing was ever published; raise DamagedIndex if it cannot be told."""
    path = directory / POINTER_FILE
    try:
        fields = json.loads(_read_small(path, _LARGEST_POINTER))
        return Pointer(generation=int(fields["generation"]), manifest_sha256=str(fields["manifest_sha256"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(path, "it is not what was written") from error


def load_manifest(directory: Path, pointer: Pointer) -> IndexManifest:
    """Return the manifest of a generation once its hash holds; raise DamagedIndex otherwise."""
    path = generation_directory(directory, pointer.generation) / MANIFEST_FILE
    try:
        data = _read_small(path, _LARGEST_MANIFEST)
    except OSError as error:
        raise damaged(path, "it is missing or cannot be read") from error
    if files.sha256(data) != pointer.manifest_sha256:
        raise damaged(path, "it is not what was published")
    manifest = IndexManifest.from_json(data, path)
    if manifest.generation != pointer.generation:
        raise damaged(path, f"it is of generation {manifest.generation}")
    return manifest


def current_manifest(directory: Path) -> IndexManifest | None:
    """Return the current manifest, None where nothing was ever published; raise DamagedIndex if it cannot be told."""
    pointer = read_pointer(directory)
    return None if pointer is None else load_manifest(directory, pointer)


def load_generation(directory: Path, manifest: IndexManifest) -> Generation:
    """Read the derived files of a manifest; every byte is hashed before FAISS or numpy sees it (DamagedIndex)."""
    folder = generation_directory(directory, manifest.generation)
    vector_data, key_data = (read_derived(folder, manifest, name) for name in (VECTORS_FILE, KEYS_FILE))
    try:
        keys = np.load(io.BytesIO(key_data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise damaged(folder / KEYS_FILE, str(error)) from error
    if keys.dtype != np.int64 or keys.shape != (manifest.passages,):
        raise damaged(folder / KEYS_FILE, f"it does not hold {manifest.passages} keys")
    try:
        index = vectors.FlatVectorIndex.from_bytes(vector_data, keys, manifest.embedder.dimension)
    except errors.DamagedIndex as error:
        raise damaged(folder / VECTORS_FILE, str(error)) from error
    return Generation(manifest=manifest, vectors=index, lexical=load_lexical(folder, manifest, keys))


def never_finished(directory: Path) -> errors.IndexNotFound:
    """Return the error for an index of which nothing was ever published."""
    return errors.IndexNotFound(
        f"the index at {directory} was never finished: run `spanglot index` again with the same sources to finish it"
    )


def generation_directory(directory: Path, number: int) -> Path:
    """Return where a generation's files lie."""
    return directory / GENERATIONS / str(number)


def load_lexical(folder: Path, manifest: IndexManifest, keys: vectors.Keys | None) -> lexical.LexicalIndex:
    """Read the lexical index of a manifest, checked, of the passages ``keys`` where they are given (DamagedIndex)."""
    data = read_derived(folder, manifest, LEXICAL_FILE)
    try:
        return lexical.LexicalIndex.from_bytes(data, keys)
    except errors.DamagedIndex as error:
        raise damaged(folder / LEXICAL_FILE, str(error)) from error


def is_of(manifest: IndexManifest, store: PassageStore) -> bool:
    """Say whether a generation was made from what the store was at its commit, and not from another history."""
    return (manifest.store_id, manifest.commit_mark) == (store.setting("store_id"), store.commit_mark(manifest.commit))


def _read_small(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        return file.read(largest)


def read_derived(folder: Path, manifest: IndexManifest, name: str) -> bytes:
    """Return the bytes of a derived file once they are those that the manifest names (DamagedIndex)."""
    path = folder / name
    expected = next((file for file in manifest.files if file.name == name), None)
    if expected is None:
        raise damaged(folder / MANIFEST_FILE, f"it does not list {name}")
    try:
        if path.stat().st_size != expected.size:
            raise damaged(path, f"its size is not the {expected.size} bytes that were written")
        data = path.read_bytes()
    except OSError as error:
        raise damaged(path, "it is missing or cannot be read") from error
    if files.sha256(data) != expected.sha256:
        raise damaged(path, "it is not what was written")
    return data


def damaged(path: Path, problem: str) -> errors.DamagedIndex:
    """Return the error for a derived file that is not what it should be."""
    return errors.DamagedIndex(f"{path} is damaged ({problem}): {_REBUILD}")
