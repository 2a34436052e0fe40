"""What indexer raises on purpose; every message names the directory or file and the cure."""

from __future__ import annotations

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
