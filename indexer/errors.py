"""What indexer raises on purpose; every message names the directory or file and the cure."""

from __future__ import annotations

from pathlib import Path

from corpora.errors import SpanglotError, UsageError


class StoreError(SpanglotError):
    """An index directory that cannot be used or written as asked."""


class IndexNotFound(StoreError):
    """A directory that holds no published index."""


class EmbedderMismatch(StoreError):
    """An embedder other than the one whose vectors the index holds."""


class DamagedIndex(StoreError):
    """A file or row whose checksum, size or form is not what was written."""


class DocumentNotFound(UsageError):
    """A document id, source or language of which the index holds no document."""


def no_index(directory: Path) -> IndexNotFound:
    """Return the error for a directory without a store."""
    return IndexNotFound(f"{directory} holds no index: make one with `spanglot index SOURCE --into DIR`")


def missing_row(path: Path, table: str, key: int) -> DamagedIndex:
    """Return the error for a row of the store at ``path`` that others name and that is not there."""
    return DamagedIndex(
        f"{path} is damaged: row {key} of table {table} is missing; restore the file from a copy, or index again into "
        "a new directory"
    )
