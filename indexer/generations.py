"""Published generations: derived files, their manifest, and the pointer that makes one of them current."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from indexer import centering, errors, files, lexical, vectors, writing
from indexer.context import embedding_text
from indexer.faults import storage_faults
from indexer.manifest import FORMAT_VERSION, DerivedFile, EmbedderIdentity, IndexManifest, IndexRecipe
from indexer.store import PassageStore

POINTER_FILE = "CURRENT"
GENERATIONS = "generations"
MANIFEST_FILE = "manifest.json"
VECTORS_FILE = "vectors.faiss"
KEYS_FILE = "passages.npy"
LEXICAL_FILE = "lexical.arrays"
_LARGEST_POINTER = 4096
_LARGEST_MANIFEST = 1 << 20
_REBUILD = "run `spanglot index` again with the same sources to rebuild it, nothing is embedded again"


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
        raise _damaged(path, "it is not what was written") from error


def load_manifest(directory: Path, pointer: Pointer) -> IndexManifest:
    """Return the manifest of a generation once its hash holds; raise DamagedIndex otherwise."""
    path = generation_directory(directory, pointer.generation) / MANIFEST_FILE
    try:
        data = _read_small(path, _LARGEST_MANIFEST)
    except OSError as error:
        raise _damaged(path, "it is missing or cannot be read") from error
    if files.sha256(data) != pointer.manifest_sha256:
        raise _damaged(path, "it is not what was published")
    manifest = IndexManifest.from_json(data, path)
    if manifest.generation != pointer.generation:
        raise _damaged(path, f"it is of generation {manifest.generation}")
    return manifest


def load_generation(directory: Path, manifest: IndexManifest) -> Generation:
    """Read the derived files of a manifest; every byte is hashed before FAISS or numpy sees it (DamagedIndex)."""
    folder = generation_directory(directory, manifest.generation)
    vector_data, key_data = (_read_derived(folder, manifest, name) for name in (VECTORS_FILE, KEYS_FILE))
    try:
        keys = np.load(io.BytesIO(key_data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _damaged(folder / KEYS_FILE, str(error)) from error
    if keys.dtype != np.int64 or keys.shape != (manifest.passages,):
        raise _damaged(folder / KEYS_FILE, f"it does not hold {manifest.passages} keys")
    try:
        index = vectors.FlatVectorIndex.from_bytes(vector_data, keys, manifest.embedder.dimension)
    except errors.DamagedIndex as error:
        raise _damaged(folder / VECTORS_FILE, str(error)) from error
    return Generation(manifest=manifest, vectors=index, lexical=_load_lexical(folder, manifest, keys))


def publish(
    directory: Path, store: PassageStore, *, commit: int, embedder: EmbedderIdentity, recipe: IndexRecipe
) -> IndexManifest:
    """Derive a generation from what ``commit`` sees and make it current by one rename.

    The generation before it stays for readers that are just opening it; older ones are removed. Open readers hold what
    they need in memory and are not disturbed.
    """
    with storage_faults(directory):
        former = _pointed(directory)
        number = max([former, *_numbers(directory)]) + 1
        folder = generation_directory(directory, number)
        try:
            folder.mkdir(parents=True)
            terms = _former_lexical(directory, store, recipe)
            manifest = _derive(folder, store, number, commit, embedder, recipe, terms)
            writing.checkpoint(store)
        except BaseException:
            # On a full disk what is of no use must not keep its room.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for parent in (folder.parent, directory):
            files.sync_directory(parent)
        pointer = json.dumps({"generation": number, "manifest_sha256": files.sha256(manifest.to_json())}) + "\n"
        files.replace_synced(directory / POINTER_FILE, pointer.encode())
        _remove(directory, keep=(former, number))
    return manifest


def generation_directory(directory: Path, number: int) -> Path:
    """Return where a generation's files lie."""
    return directory / GENERATIONS / str(number)


def _derive(
    folder: Path,
    store: PassageStore,
    number: int,
    commit: int,
    embedder: EmbedderIdentity,
    recipe: IndexRecipe,
    former: lexical.LexicalIndex | None,
) -> IndexManifest:
    means = centering.language_means(store.vectors(commit, embedder.dimension))
    blocks = means.centered(store.vectors(commit, embedder.dimension))
    index = vectors.FlatVectorIndex.build(embedder.dimension, blocks)
    words = lexical.LexicalIndex.build(_texts(store, commit, embedder.dimension, former), former)
    derived = (
        _write(folder, VECTORS_FILE, index.to_bytes()),
        _write(folder, KEYS_FILE, _npy(index.keys)),
        _write(folder, LEXICAL_FILE, words.to_bytes()),
    )
    counts = store.counts(commit)
    if counts.passages != len(index.keys):
        raise _damaged(store.path, f"it counts {counts.passages} passages and holds {len(index.keys)}")
    manifest = IndexManifest(
        format_version=FORMAT_VERSION,
        generation=number,
        commit=commit,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        spanglot_version=_version(),
        store_id=str(store.setting("store_id")),
        embedder=embedder,
        recipe=recipe,
        documents=counts.documents,
        passages=counts.passages,
        languages=counts.languages,
        files=derived,
    )
    files.write_synced(folder / MANIFEST_FILE, manifest.to_json())
    files.sync_directory(folder)
    return manifest


def _texts(
    store: PassageStore, commit: int, dimension: int, former: lexical.LexicalIndex | None
) -> Iterator[lexical.TextBlock]:
    """Yield the passages that ``commit`` sees; those that ``former`` has come without their text."""
    known = set() if former is None else set(former.keys.tolist())
    for block in store.vectors(commit, dimension):
        passages = store.passages((key for key in block.keys.tolist() if key not in known), commit)
        texts = [embedding_text(passages[key]) if key in passages else "" for key in block.keys.tolist()]
        yield lexical.TextBlock(keys=block.keys, texts=texts, languages=block.languages)


def _former_lexical(directory: Path, store: PassageStore, recipe: IndexRecipe) -> lexical.LexicalIndex | None:
    """Return the current lexical index if it can be carried on, None where everything is to be read again."""
    try:
        pointer = read_pointer(directory)
        manifest = None if pointer is None else load_manifest(directory, pointer)
        if manifest is None or (manifest.store_id, manifest.recipe.lexical) != (
            store.setting("store_id"),
            recipe.lexical,
        ):
            return None
        folder = generation_directory(directory, manifest.generation)
        return _load_lexical(folder, manifest, None)
    except errors.DamagedIndex:
        return None


def _load_lexical(folder: Path, manifest: IndexManifest, keys: vectors.Keys | None) -> lexical.LexicalIndex:
    data = _read_derived(folder, manifest, LEXICAL_FILE)
    try:
        return lexical.LexicalIndex.from_bytes(data, keys)
    except errors.DamagedIndex as error:
        raise _damaged(folder / LEXICAL_FILE, str(error)) from error


def _write(folder: Path, name: str, data: bytes) -> DerivedFile:
    files.write_synced(folder / name, data)
    return DerivedFile(name=name, size=len(data), sha256=files.sha256(data))


def _npy(keys: vectors.Keys) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, keys, allow_pickle=False)
    return buffer.getvalue()


def _read_small(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        return file.read(largest)


def _read_derived(folder: Path, manifest: IndexManifest, name: str) -> bytes:
    path = folder / name
    expected = next((file for file in manifest.files if file.name == name), None)
    if expected is None:
        raise _damaged(folder / MANIFEST_FILE, f"it does not list {name}")
    try:
        if path.stat().st_size != expected.size:
            raise _damaged(path, f"its size is not the {expected.size} bytes that were written")
        data = path.read_bytes()
    except OSError as error:
        raise _damaged(path, "it is missing or cannot be read") from error
    if files.sha256(data) != expected.sha256:
        raise _damaged(path, "it is not what was written")
    return data


def _pointed(directory: Path) -> int:
    try:
        pointer = read_pointer(directory)
    except errors.DamagedIndex:
        return 0
    return 0 if pointer is None else pointer.generation


def _numbers(directory: Path) -> list[int]:
    folder = directory / GENERATIONS
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []


def _remove(directory: Path, keep: Sequence[int]) -> None:
    for number in _numbers(directory):
        if number not in keep:
            # What cannot be removed now is tried again by the next publish.
            shutil.rmtree(generation_directory(directory, number), ignore_errors=True)


def _version() -> str:
    try:
        return metadata.version("spanglot")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def _damaged(path: Path, problem: str) -> errors.DamagedIndex:
    return errors.DamagedIndex(f"{path} is damaged ({problem}): {_REBUILD}")
