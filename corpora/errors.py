"""The exception tree. Every message names the offending value and the cure, in one line.

    SpanglotError
    ├── UsageError            a request that cannot be served as it was put (exit code 2, HTTP 422)
    │   └── QuestionError     an empty, over-long or unencodable question
    ├── CorpusError           a source that cannot be read
    │   ├── RowError          one bad row or file of an otherwise readable source
    │   └── DuplicateDocument one document id from two sources
    ├── StoreError            an index directory that cannot be used (declared in ``indexer``)
    └── ReaderError           reader weights or settings that cannot be used (declared in ``reader``)

``encoder`` may import no other package; its ``ModelError`` stands beside this tree.
"""

from __future__ import annotations


class SpanglotError(Exception):
    """Root of what Spanglot raises on purpose; the message is one line, meant for the user."""


class UsageError(SpanglotError, ValueError):
    """A request that cannot be served as it was put; the message says what would be accepted."""


class QuestionError(UsageError):
    """A question that is empty, longer than the limit, or not encodable as UTF-8."""


class CorpusError(SpanglotError):
    """A source that cannot be read; the message names the file."""


class RowError(CorpusError):
    """One row or file that cannot be used; the rest of the source can."""

    def __init__(self, source: str, line: int | None, reason: str) -> None:
        self.source = source
        self.line = line
        self.reason = reason
        place = source if line is None else f"{source}, line {line}"
        super().__init__(f"{place}: {reason}")


class DuplicateDocument(CorpusError):
    """Two sources offer a document under the same id; neither overwrites the other."""

    def __init__(self, document_id: str, first: str, second: str) -> None:
        self.document_id = document_id
        super().__init__(
            f"document id {document_id!r} comes from both {first} and {second}: give one of them another id, "
            "or index it into another directory"
        )
