"""Open the parts that are on disk: an index, an embedder, a reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from service.answers import IndexInfo

if TYPE_CHECKING:
    from corpora import Splitter
    from corpora.documents import Document
    from indexer import Embedder, Index, IndexManifest
    from service.protocols import Reader, Retriever


class DiskIndex:
    """An index directory as the service uses it: one generation, from opening to closing, from any thread."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._info = index_info(index.manifest, index.directory)

    @property
    def retriever(self) -> Retriever:
        """What finds passages in it."""
        return self._index.retriever

    @property
    def info(self) -> IndexInfo:
        """Which index this is."""
        return self._info

    def document(self, document_id: str) -> Document:
        """Return a stored document whole; raise UsageError where there is none under that id."""
        return self._index.document(document_id)

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        self._index.close()


def open_index(directory: str | Path, *, device: str = "auto", embedder: Embedder | None = None) -> DiskIndex:
    """Open the current generation of an index; its own embedder is loaded at the first question, if none is given."""
    from indexer import Index

    return DiskIndex(Index.open(directory, embedder=embedder, device=device))


def open_reader(
    reader: Reader | str | Path | None = None, *, device: str = "auto", allow_pickle: bool = False
) -> Reader:
    """Return a loaded reader as it is, or load one by directory or hub name; None loads Spanglot's own."""
    if reader is not None and not isinstance(reader, str | Path):
        return reader
    from reader import load_reader

    return load_reader(reader, device=device, allow_pickle=allow_pickle)


def embedder_for(directory: str | Path, name_or_path: str | None, *, device: str = "auto") -> Embedder:
    """Load the embedder to index with: the one named, else the one that the index there has, else Spanglot's own."""
    from indexer import StoreError, embedding

    name = name_or_path
    if name is None:
        try:
            name = manifest(directory).embedder.name
        except StoreError:
            # There is no index yet, or one that indexing is about to mend.
            name = None
    return embedding.load_embedder(name, device=device)


def make_splitter() -> Splitter:
    """Return the splitter of every index: passages are measured in the base encoder's tokens."""
    from corpora import Splitter
    from encoder import base_model_directory, load_tokenizer, token_offsets

    return Splitter(token_offsets(load_tokenizer(base_model_directory())))


def stored_document(directory: str | Path, document_id: str) -> Document:
    """Return one document of an index without loading any model."""
    from indexer import Index

    with Index.open(directory) as index:
        return index.document(document_id)


def manifest(directory: str | Path) -> IndexManifest:
    """Return what the current generation of an index was built with, without loading any model."""
    from indexer import Index

    with Index.open(directory) as index:
        return index.manifest


def index_info(manifest: IndexManifest, directory: Path) -> IndexInfo:
    """Say which index a manifest stands for, without giving away where it lies."""
    embedder = manifest.embedder.name
    return IndexInfo(
        name=directory.resolve().name,
        generation=manifest.generation,
        documents=manifest.documents,
        passages=manifest.passages,
        embedder=Path(embedder).name if Path(embedder).is_absolute() else embedder,
    )
