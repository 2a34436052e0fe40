"""Documents into an index: embed what changed, commit as it goes, publish at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from corpora.documents import Document, Passage
from indexer import context, embedding, errors, generations, locking, publishing, recipes, rows, store, targets, writing
from indexer.embedding import Embedder
from indexer.faults import storage_faults
from indexer.manifest import EmbedderIdentity, IndexManifest, IndexRecipe
from indexer.writing import Standing

PASSAGES_AT_ONCE = 256
_REPORT_EVERY = 256


class PassageSplitter(Protocol):
    """What a build needs of a splitter: ``corpora.Splitter`` is one."""

    @property
    def target_tokens(self) -> int: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def overlap_sentences(self) -> int: ...

    def split(self, document: Document) -> list[Passage]:
        """Return the passages of a document; each is a slice of its text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProgress:
    """How far a build has come: documents looked at, their passages, and those embedded in this build."""

    documents: int
    passages: int
    embedded: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What a build did; ``passages`` are all that the generation holds, ``embedded`` those embedded by this build."""

    added: int
    replaced: int
    unchanged: int
    removed: int
    passages: int
    embedded: int
    seconds: float
    generation: int


def build_index(
    directory: str | Path,
    documents: Iterable[Document],
    *,
    embedder: Embedder,
    splitter: PassageSplitter,
    remove: Callable[[str], bool] | None = None,
    progress: Callable[[IndexProgress], None] | None = None,
) -> IndexReport:
    """Add documents to the index at ``directory``, replace by id those that changed, and publish a new generation.

    Documents that are not offered stay, but for those whose source ``remove`` accepts; it is asked when all documents
    have been offered. Batches are committed as they are embedded; readers see none of them before
    the generation is published, and a build that was interrupted is taken up where it stopped. Without a change nothing
    is published, unless derived files are missing, damaged or made by another recipe, or the embedder's directory has
    moved: they are rebuilt without embedding. Raise StoreError (no documents for a new index, a directory that is not
    an index, a full or read-only disk, another writer), EmbedderMismatch, DamagedIndex, DuplicateDocument.
    """
    started = time.perf_counter()
    folder = Path(directory)
    offered = iter(documents) if targets.is_index(folder) else targets.at_least_one(folder, documents)
    with storage_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locking.writer_lock(folder), store.PassageStore.open_writer(folder) as opened:
        build = _Build(opened, embedder, splitter, progress, started)
        for document in offered:
            build.offer(document)
        build.flush()
        manifest = build.publish(remove)
        return build.report(manifest)


class _Build:
    def __init__(
        self,
        opened: store.PassageStore,
        embedder: Embedder,
        splitter: PassageSplitter,
        progress: Callable[[IndexProgress], None] | None,
        started: float,
    ) -> None:
        self._store = opened
        self._embedder = embedder
        self._splitter = splitter
        self._progress = progress
        self._started = started
        self._recipe = recipes.recipe(splitter.target_tokens, splitter.max_tokens, splitter.overlap_sentences)
        self._identity = embedding.identity(embedder)
        self._writer = writing.StoreWriter(opened)
        self._writer.claim(self._identity)
        self._waiting: dict[str, _Waiting] = {}
        self._waiting_passages = 0
        self._standings = dict.fromkeys(Standing, 0)
        self._passages = self._embedded = self._removed = 0

    def offer(self, document: Document) -> None:
        content_hash = rows.content_hash(document, self._recipe.embedding_key())
        if document.id in self._waiting:
            self.flush()
        standing = self._writer.standing(document, content_hash)
        self._standings[standing] += 1
        if standing in (Standing.NEW, Standing.CHANGED):
            passages = self._splitter.split(document)
            _check_slices(document, passages)
            self._waiting[document.id] = _Waiting(document=document, content_hash=content_hash, passages=passages)
            self._waiting_passages += len(passages)
            self._passages += len(passages)
            if self._waiting_passages >= PASSAGES_AT_ONCE or len(self._waiting) >= PASSAGES_AT_ONCE:
                self.flush()
        elif sum(self._standings.values()) % _REPORT_EVERY == 0:
            self._tell()

    def flush(self) -> None:
        waiting, self._waiting, self._waiting_passages = list(self._waiting.values()), {}, 0
        if waiting:
            texts = [context.embedding_text(passage) for item in waiting for passage in item.passages]
            self._writer.commit(_paired(waiting, self._embed(texts)))
        self._tell()

    def publish(self, remove: Callable[[str], bool] | None) -> IndexManifest:
        directory = self._store.path.parent
        if not self._writer.sealed and not sum(self._standings.values()):
            raise targets.no_documents(directory)
        self._writer.record(recipes.SPLITTING, self._recipe.embedding_key())
        commit = self._writer.seal(None if remove is None else lambda: self._leaving(remove))
        current = _sound_generation(directory, self._store, commit, self._identity, self._recipe)
        if current is not None:
            return current
        return publishing.publish(directory, self._store, commit=commit, embedder=self._identity, recipe=self._recipe)

    def report(self, manifest: IndexManifest) -> IndexReport:
        counts = self._standings
        return IndexReport(
            added=counts[Standing.NEW] + counts[Standing.RESUMED_NEW],
            replaced=counts[Standing.CHANGED] + counts[Standing.RESUMED_CHANGED],
            unchanged=counts[Standing.UNCHANGED],
            removed=self._removed,
            passages=manifest.passages,
            embedded=self._embedded,
            seconds=time.perf_counter() - self._started,
            generation=manifest.generation,
        )

    def _leaving(self, remove: Callable[[str], bool]) -> list[int]:
        leaving = self._writer.unmet(remove)
        self._removed = len(leaving)
        return leaving

    def _embed(self, texts: Sequence[str]) -> rows.Floats:
        dimension = self._embedder.dimension
        blocks = [np.empty((0, dimension), np.float32)]
        for start in range(0, len(texts), PASSAGES_AT_ONCE):
            chunk = list(texts[start : start + PASSAGES_AT_ONCE])
            vectors = self._embedder.encode_document(chunk)
            if vectors.shape != (len(chunk), dimension) or not np.isfinite(vectors).all():
                raise errors.StoreError(
                    f"the embedder {self._embedder.name} gave vectors of shape {vectors.shape} or without a value for "
                    f"{len(chunk)} passages: use another embedder"
                )
            blocks.append(vectors)
            self._embedded += len(chunk)
            if start + PASSAGES_AT_ONCE < len(texts):
                self._tell()
        return np.concatenate(blocks)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(
                IndexProgress(
                    documents=sum(self._standings.values()),
                    passages=self._passages,
                    embedded=self._embedded,
                    elapsed_seconds=time.perf_counter() - self._started,
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    document: Document
    content_hash: bytes
    passages: Sequence[Passage]


def _paired(waiting: Sequence[_Waiting], vectors: rows.Floats) -> list[writing.EmbeddedDocument]:
    ends = np.cumsum([len(item.passages) for item in waiting])
    return [
        writing.EmbeddedDocument(
            document=item.document,
            content_hash=item.content_hash,
            passages=item.passages,
            vectors=vectors[end - len(item.passages) : end],
        )
        for item, end in zip(waiting, ends.tolist(), strict=True)
    ]


def _check_slices(document: Document, passages: Sequence[Passage]) -> None:
    for passage in passages:
        if document.text[passage.start : passage.end] != passage.text:
            raise ValueError(f"passage {passage.id!r} is not the slice of document {document.id!r} that it names")


def _sound_generation(
    directory: Path, opened: store.PassageStore, commit: int, embedder: EmbedderIdentity, recipe: IndexRecipe
) -> IndexManifest | None:
    """Return the current manifest if its files are sound and a publish would only make the same again."""
    try:
        manifest = generations.current_manifest(directory)
        if manifest is None:
            return None
        generations.load_generation(directory, manifest)
    except errors.DamagedIndex:
        return None
    same_rows = manifest.commit == commit and generations.is_of(manifest, opened)
    return manifest if same_rows and (manifest.embedder, manifest.recipe) == (embedder, recipe) else None
