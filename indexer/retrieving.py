"""An open index: one generation of it, from start to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from corpora.documents import Document
from corpora.sources import is_encodable
from encoder.errors import ModelError
from indexer import embedding, errors, generations, lexical, store
from indexer.embedding import Embedder
from indexer.generations import Generation
from indexer.hybrid import HybridRetriever
from indexer.manifest import IndexManifest

# A publish that removes a generation while it is being opened leaves a newer one to open.
_OPENING_TRIES = 5


class Index:
    """One published generation of an index, safe to use from several threads.

    What is published after ``open`` is not seen. The embedder is loaded when a question first needs it.
    """

    def __init__(
        self,
        directory: Path,
        opened: store.PassageStore,
        generation: Generation,
        embedder: Embedder | None,
        device: str,
    ) -> None:
        self.directory = directory
        self.manifest: IndexManifest = generation.manifest
        self._store = opened
        self._embedder = embedder
        self._device = device
        self._loading = threading.Lock()
        self.retriever = HybridRetriever(
            opened, generation.vectors, generation.lexical, self.manifest.commit, self.embedder
        )

    @classmethod
    def open(cls, directory: str | Path, *, embedder: Embedder | None = None, device: str = "auto") -> Index:
        """Open the current generation, every derived file checked.

        Without an embedder the one that the manifest names is loaded on ``device`` at the first question. Raise
        IndexNotFound, EmbedderMismatch, DamagedIndex, StoreError.
        """
        folder = Path(directory)
        opened = store.PassageStore.open_reader(folder)
        try:
            generation = _load_current(folder)
            check_pairing(opened, generation.manifest)
            _check_words(generation.manifest, folder)
            if embedder is not None:
                generation.manifest.embedder.require(embedding.identity(embedder), folder)
            return cls(folder, opened, generation, embedder, device)
        except BaseException:
            opened.close()
            raise

    def embedder(self) -> Embedder:
        """Return the embedder, loaded and checked against the manifest on the first call."""
        with self._loading:
            if self._embedder is None:
                loaded = self._load_embedder()
                self.manifest.embedder.require(embedding.identity(loaded), self.directory)
                self._embedder = loaded
            return self._embedder

    def _load_embedder(self) -> Embedder:
        name = self.manifest.embedder.name
        try:
            return embedding.load_embedder(name, device=self._device)
        except ModelError as error:
            raise ModelError(
                f"{self.directory} was built with the embedder {name!r}, which cannot be had ({error}); "
                "or index again into a new directory, with --embedder for another one"
            ) from error

    def document(self, document_id: str) -> Document:
        """Return a document by its id; raise DocumentNotFound (a UsageError) for an id that the index does not hold."""
        found = self._store.document(document_id, self.manifest.commit) if is_encodable(document_id) else None
        if found is None:
            raise errors.DocumentNotFound(
                f"the index {self.directory.name!r} holds no document {document_id!r}: ids come with search results"
            )
        return found

    def documents(self) -> Iterator[Document]:
        """Yield all documents, in the order in which they were stored."""
        return self._store.documents(self.manifest.commit)

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _load_current(directory: Path) -> Generation:
    pointer = generations.read_pointer(directory)
    for _ in range(_OPENING_TRIES):
        if pointer is None:
            break
        try:
            return generations.load_generation(directory, generations.load_manifest(directory, pointer))
        except errors.DamagedIndex:
            newer = generations.read_pointer(directory)
            if newer == pointer:
                raise
            pointer = newer
    raise generations.never_finished(directory)


def _check_words(manifest: IndexManifest, directory: Path) -> None:
    if manifest.recipe.lexical != lexical.recipe():
        raise errors.DamagedIndex(
            f"the words of the index at {directory} were cut up in another way ({manifest.recipe.lexical}): run "
            "`spanglot index` again with the same sources to cut them anew, nothing is embedded again"
        )


def check_pairing(opened: store.PassageStore, manifest: IndexManifest) -> None:
    """Raise DamagedIndex unless the generation was made of this store, StoreError if rows of it have been removed."""
    store_id, sealed = opened.setting("store_id"), opened.last_commit(sealed=True)
    if store_id != manifest.store_id:
        raise errors.DamagedIndex(
            f"{opened.path} is of index {store_id}, its generation {manifest.generation} of index {manifest.store_id}: "
            "restore both from one copy, or run `spanglot index` again"
        )
    if sealed < manifest.commit:
        raise errors.DamagedIndex(
            f"{opened.path} ends at commit {sealed}, its generation {manifest.generation} covers {manifest.commit}: "
            "restore both from one copy, or run `spanglot index` again"
        )
    if not generations.is_of(manifest, opened):
        raise errors.DamagedIndex(
            f"commit {manifest.commit} of {opened.path} is another one than its generation {manifest.generation} "
            "covers: restore both from one copy, or run `spanglot index` again"
        )
    opened.require_uncompacted(manifest.commit)
