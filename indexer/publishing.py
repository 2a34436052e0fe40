"""Derive a generation from the store and make it current, all or nothing."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from indexer import centering, errors, files, generations, lexical, vectors, writing
from indexer.context import embedding_text
from indexer.faults import storage_faults
from indexer.generations import KEYS_FILE, LEXICAL_FILE, MANIFEST_FILE, POINTER_FILE, VECTORS_FILE
from indexer.manifest import FORMAT_VERSION, DerivedFile, EmbedderIdentity, IndexManifest, IndexRecipe
from indexer.store import PassageStore


def publish(
    directory: Path,
    store: PassageStore,
    *,
    commit: int,
    embedder: EmbedderIdentity,
    recipe: IndexRecipe,
    anew: bool = False,
) -> IndexManifest:
    """Derive a generation from what ``commit`` sees and make it current by one rename.

    ``anew`` takes nothing over from the generation before it. That one stays for readers that are just opening it;
    older ones are removed. Open readers hold what they need in memory and are not disturbed.
    """
    with storage_faults(directory):
        former = _pointed(directory)
        number = max([former, *_numbers(directory)]) + 1
        folder = generations.generation_directory(directory, number)
        try:
            folder.mkdir(parents=True)
            terms = None if anew else _former_lexical(directory, store, recipe)
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
        remove_others(directory, keep=(former, number))
    return manifest


def remove_others(directory: Path, keep: Sequence[int]) -> None:
    """Remove the files of all generations but some."""
    for number in _numbers(directory):
        if number not in keep:
            # What cannot be removed now is tried again by the next publish.
            shutil.rmtree(generations.generation_directory(directory, number), ignore_errors=True)


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
        raise generations.damaged(store.path, f"it counts {counts.passages} passages and holds {len(index.keys)}")
    manifest = IndexManifest(
        format_version=FORMAT_VERSION,
        generation=number,
        commit=commit,
        commit_mark=str(store.commit_mark(commit)),
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
        manifest = generations.current_manifest(directory)
        if manifest is None or manifest.recipe.lexical != recipe.lexical or not generations.is_of(manifest, store):
            return None
        folder = generations.generation_directory(directory, manifest.generation)
        return generations.load_lexical(folder, manifest, None)
    except errors.DamagedIndex:
        return None


def _write(folder: Path, name: str, data: bytes) -> DerivedFile:
    files.write_synced(folder / name, data)
    return DerivedFile(name=name, size=len(data), sha256=files.sha256(data))


def _npy(keys: vectors.Keys) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, keys, allow_pickle=False)
    return buffer.getvalue()


def _pointed(directory: Path) -> int:
    try:
        pointer = generations.read_pointer(directory)
    except errors.DamagedIndex:
        return 0
    return 0 if pointer is None else pointer.generation


def _numbers(directory: Path) -> list[int]:
    folder = directory / generations.GENERATIONS
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []


def _version() -> str:
    try:
        return metadata.version("spanglot")
    except metadata.PackageNotFoundError:
        return "0+unknown"
