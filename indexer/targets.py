"""Where a build may write, and whether there is anything to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from corpora.documents import Document
from indexer import errors, generations, locking, store
from indexer.faults import storage_faults

_OURS = {
    locking.LOCK_FILE,
    generations.POINTER_FILE,
    generations.POINTER_FILE + ".new",
    generations.GENERATIONS,
    *(store.DATABASE_FILE + suffix for suffix in ("", "-wal", "-shm", "-journal")),
}


def is_index(directory: Path) -> bool:
    """Tell whether the directory holds a store already; raise StoreError if it holds anything of someone else."""
    with storage_faults(directory):
        names = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if names - _OURS:
        raise errors.StoreError(
            f"{directory} is neither empty nor an index (it holds {min(names - _OURS)!r}): give another directory"
        )
    return store.DATABASE_FILE in names


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold the writer's lock of an existing index; raise IndexNotFound where there is none."""
    if not is_index(directory):
        raise errors.no_index(directory)
    with locking.writer_lock(directory):
        yield


@contextmanager
def existing_index(directory: Path) -> Iterator[store.PassageStore]:
    """Open an existing index for a change, under the writer's lock; raise IndexNotFound if it was never finished."""
    with writing(directory), store.PassageStore.open_writer(directory) as opened:
        if not opened.last_commit(sealed=True):
            raise generations.never_finished(directory)
        yield opened


def at_least_one(directory: Path, documents: Iterable[Document]) -> Iterator[Document]:
    """Return the documents, the first of them already read; raise StoreError if there is none."""
    iterator = iter(documents)
    first = next(iterator, None)
    if first is None:
        raise no_documents(directory)
    return chain([first], iterator)


def no_documents(directory: Path) -> errors.StoreError:
    """Return the error for a new index that would be empty."""
    return errors.StoreError(f"no documents to index into {directory}: give sources that hold some")
