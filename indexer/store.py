"""The truth of an index: documents, passages and vectors in one SQLite file, with the commits at which rows live."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from corpora.documents import Document, Passage
from indexer import connecting, errors, rows, schema
from indexer.faults import storage_faults
from indexer.filtering import PassageFilter
from indexer.manifest import LanguageCount
from indexer.schema import Value

DATABASE_FILE = "index.sqlite3"
UNKNOWN_LANGUAGE = "und"
_DOCUMENT_FIELDS = ", ".join((*schema.DOCUMENT_COLUMNS, "checksum"))
_PASSAGE_FIELDS = ", ".join((*schema.PASSAGE_COLUMNS, "checksum"))
_DOCUMENTS_AT_ONCE = 64
_VECTORS_AT_ONCE = 4096
# SQLite takes far more parameters; this keeps one answer small.
_KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorBlock:
    """Passage keys (n,) int64, growing, with their vectors (n, dimension) float32 and their n languages."""

    keys: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounts:
    """How many rows a commit sees; languages are sorted by code."""

    documents: int
    passages: int
    languages: tuple[LanguageCount, ...]


class PassageStore:
    """Read access to the store, from any thread; a commit sees the rows with born <= commit < died.

    Every row is checked against its checksum before anything of it is returned (DamagedIndex). Writing is
    ``writing.StoreWriter``'s part.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open_reader(cls, directory: Path) -> PassageStore:
        """Open an existing store for reading; works beside a writer and on read-only media."""
        path = directory / DATABASE_FILE
        if not path.is_file():
            raise errors.no_index(directory)
        with storage_faults(directory):
            return cls._checked(path, connecting.connect_reader(path))

    @classmethod
    def open_writer(cls, directory: Path) -> PassageStore:
        """Open or create a store for writing; the caller holds the writer's lock."""
        path = directory / DATABASE_FILE
        with storage_faults(directory):
            connection = connecting.connect_writer(path)
            store = cls._checked(path, connection)
            try:
                connecting.prepare_for_writing(connection)
                schema.migrate(connection, path)
            except BaseException:
                connection.close()
                raise
            return store

    @classmethod
    def _checked(cls, path: Path, connection: sqlite3.Connection) -> PassageStore:
        try:
            schema.check_version(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Run one statement and return all of its rows, unchecked."""
        with self._lock, storage_faults(self.path.parent):
            return self.connection.execute(sql, parameters).fetchall()

    def setting(self, name: str) -> str | None:
        """Return a setting, or None where it was never made."""
        found = self.query("SELECT name, value, checksum FROM settings WHERE name = ?", (name,))
        return str(rows.checked(self.path, "settings", found[0])[1]) if found else None

    def last_commit(self, *, sealed: bool = False) -> int:
        """Return the number of the last commit, or of the last that closed a build; 0 where there is none."""
        found = self.query(
            "SELECT number, time, sealed, checksum FROM commits WHERE sealed >= ? ORDER BY number DESC LIMIT 1",
            (int(sealed),),
        )
        return rows.integer(rows.checked(self.path, "commits", found[0])[0]) if found else 0

    def require_uncompacted(self, commit: int) -> None:
        """Raise StoreError if rows that ``commit`` saw have been removed; asked after reading, it makes a gap known."""
        compacted = self.setting("compacted")
        if compacted is not None and int(compacted) > commit:
            raise errors.StoreError(
                f"the index at {self.path.parent} was compacted since its generation was opened: open the index again"
            )

    def commit_mark(self, number: int) -> str | None:
        """Return what tells a commit from another of the same number in another history, or None if there is none."""
        found = self.query("SELECT number, time, sealed, checksum FROM commits WHERE number = ?", (number,))
        if not found:
            return None
        rows.checked(self.path, "commits", found[0])
        mark = found[0][-1]
        return mark.hex() if isinstance(mark, bytes) else None

    def stored_document(self, document_id: str, commit: int) -> rows.StoredDocument | None:
        """Return the document that ``commit`` sees under an id, or None."""
        found = self.query(
            f"SELECT {_DOCUMENT_FIELDS} FROM documents WHERE id = ? AND born <= ? AND died > ? LIMIT 1",
            (document_id, commit, commit),
        )
        if not found:
            self.require_uncompacted(commit)
        return rows.read_document(self.path, found[0]) if found else None

    def document(self, document_id: str, commit: int) -> Document | None:
        """Return the document that ``commit`` sees under an id, or None."""
        stored = self.stored_document(document_id, commit)
        return None if stored is None else stored.document

    def documents(self, commit: int) -> Iterator[Document]:
        """Yield the documents that ``commit`` sees, in the order in which they were stored."""
        last = 0
        while True:
            found = self.query(
                f"SELECT {_DOCUMENT_FIELDS} FROM documents NOT INDEXED "
                "WHERE key > ? AND born <= ? AND died > ? ORDER BY key LIMIT ?",
                (last, commit, commit, _DOCUMENTS_AT_ONCE),
            )
            self.require_uncompacted(commit)
            for row in found:
                stored = rows.read_document(self.path, row)
                last = stored.key
                yield stored.document
            if len(found) < _DOCUMENTS_AT_ONCE:
                return

    def passages(self, keys: Iterable[int], commit: int) -> dict[int, Passage]:
        """Return the passages of the given keys; raise DamagedIndex for a key that ``commit`` does not see."""
        wanted = sorted(set(keys))
        stored = {row.key: row for row in self._passage_rows(wanted)}
        documents = self._documents_by_key({row.document for row in stored.values()}, commit)
        for key in wanted:
            if key not in stored or not stored[key].born <= commit < stored[key].died:
                self.require_uncompacted(commit)
                raise errors.missing_row(self.path, "passages", key)
        return {key: row.passage(documents[row.document]) for key, row in stored.items()}

    def passage_keys(self, wanted: PassageFilter, commit: int) -> npt.NDArray[np.int64]:
        """Return the keys of the passages that ``commit`` sees and that fit, growing; none fit gives an empty array.

        What decides is read unchecked: damage there can leave a passage out, and one that is let in wrongly is refused
        when it is read.
        """
        condition, parameters = wanted.sql()
        found = self.query(
            f"SELECT p.key FROM passages p WHERE p.born <= ? AND p.died > ? AND {condition} ORDER BY p.key",
            (commit, commit, *parameters),
        )
        self.require_uncompacted(commit)
        return np.array([rows.integer(key) for (key,) in found], np.int64)

    def vectors(self, commit: int, dimension: int) -> Iterator[VectorBlock]:
        """Yield the vectors that ``commit`` sees, by growing passage key, in blocks."""
        last = 0
        while True:
            found = self.query(
                f"SELECT {_PASSAGE_FIELDS} FROM passages NOT INDEXED "
                "WHERE key > ? AND born <= ? AND died > ? ORDER BY key LIMIT ?",
                (last, commit, commit, _VECTORS_AT_ONCE),
            )
            block = [rows.read_passage(self.path, row) for row in found]
            if not block:
                return
            last = block[-1].key
            if any(passage.vector.shape != (dimension,) for passage in block):
                raise errors.DamagedIndex(f"{self.path} holds a vector that has not {dimension} values: index again")
            yield VectorBlock(
                keys=np.array([passage.key for passage in block], np.int64),
                vectors=np.stack([passage.vector for passage in block]),
                languages=tuple(
                    UNKNOWN_LANGUAGE if passage.language is None else passage.language for passage in block
                ),
            )

    def counts(self, commit: int) -> StoreCounts:
        """Count what ``commit`` sees."""
        alive = "WHERE born <= ? AND died > ?"
        by_language = self.query(
            f"SELECT coalesce(language, ?), count(*) FROM documents {alive} GROUP BY 1 ORDER BY 1",
            (UNKNOWN_LANGUAGE, commit, commit),
        )
        passages = self.query(f"SELECT count(*) FROM passages {alive}", (commit, commit))
        languages = tuple(
            LanguageCount(language=str(language), documents=rows.integer(count)) for language, count in by_language
        )
        return StoreCounts(
            documents=sum(language.documents for language in languages),
            passages=rows.integer(passages[0][0]),
            languages=languages,
        )

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self.connection.close()

    def __enter__(self) -> PassageStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _passage_rows(self, keys: Sequence[int]) -> Iterator[rows.StoredPassage]:
        for chunk in _chunks(keys):
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT {_PASSAGE_FIELDS} FROM passages WHERE key IN ({marks})"
            yield from (rows.read_passage(self.path, row) for row in self.query(sql, chunk))

    def _documents_by_key(self, keys: set[int], commit: int) -> dict[int, Document]:
        documents: dict[int, Document] = {}
        for chunk in _chunks(sorted(keys)):
            marks = ", ".join("?" * len(chunk))
            for row in self.query(f"SELECT {_DOCUMENT_FIELDS} FROM documents WHERE key IN ({marks})", chunk):
                stored = rows.read_document(self.path, row)
                documents[stored.key] = stored.document
        for key in keys - documents.keys():
            self.require_uncompacted(commit)
            raise errors.missing_row(self.path, "documents", key)
        return documents


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    return (values[i : i + _KEYS_AT_ONCE] for i in range(0, len(values), _KEYS_AT_ONCE))
