"""Changes to the store: batches that are wholly in or not, and a seal that closes a build."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from corpora.documents import Document, Passage
from corpora.errors import DuplicateDocument
from indexer import rows, scanning, schema
from indexer.faults import storage_faults
from indexer.manifest import EmbedderIdentity
from indexer.schema import FOREVER, Value
from indexer.store import PassageStore


class Standing(Enum):
    """What a document means to the store."""

    NEW = auto()
    CHANGED = auto()
    UNCHANGED = auto()
    RESUMED_NEW = auto()
    RESUMED_CHANGED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedDocument:
    """A document ready to be stored; ``vectors`` (passages, dimension) has one unit row for each passage."""

    document: Document
    content_hash: bytes
    passages: Sequence[Passage]
    vectors: rows.Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How many rows were removed."""

    documents: int
    passages: int


class StoreWriter:
    """One build's view of the store.

    Rows born after the last sealed commit were left by a build that never ended. Those that the build meets again are
    kept as they are (resumed); the others are dropped when it seals, and what they replaced lives on. No reader has
    ever seen them.
    """

    def __init__(self, store: PassageStore) -> None:
        self._store = store
        self._connection = store.connection
        self.sealed = store.last_commit(sealed=True)
        store.query("CREATE TEMP TABLE seen (key INTEGER PRIMARY KEY)")

    def claim(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to an embedder, by its new name where its directory has moved.

        Raise EmbedderMismatch if the store holds documents of another.
        """
        stored = self._store.setting("embedder")
        if stored is not None and self._store.query("SELECT 1 FROM documents LIMIT 1"):
            EmbedderIdentity.from_json(stored).require(embedder, self._store.path.parent)
        if stored == embedder.to_json():
            return
        with self._transaction():
            self._set("embedder", embedder.to_json())
            if self._store.setting("store_id") is None:
                self._set("store_id", uuid.uuid4().hex)

    def standing(self, document: Document, content_hash: bytes) -> Standing:
        """Compare a document with what is stored under its id; raise DuplicateDocument if that has another source."""
        stored = self._alive(document.id)
        same = stored is not None and stored.document.source == document.source and stored.content_hash == content_hash
        if stored is not None and self._is_seen(stored.key):
            if same:
                return Standing.UNCHANGED
            raise DuplicateDocument(document.id, stored.document.source, f"a later row of {document.source}")
        if stored is not None and stored.born > self.sealed:
            if same:
                self._see(stored.key)
                return Standing.RESUMED_CHANGED if self._predecessor(stored) else Standing.RESUMED_NEW
            with self._transaction():
                self._drop(stored)
            stored = self._alive(document.id)
        if stored is None:
            return Standing.NEW
        if stored.document.source != document.source:
            raise DuplicateDocument(document.id, stored.document.source, document.source)
        if stored.content_hash != content_hash:
            return Standing.CHANGED
        self._see(stored.key)
        return Standing.UNCHANGED

    def commit(self, batch: Sequence[EmbeddedDocument]) -> None:
        """Store documents with their passages and vectors under one new commit, ending what they replace."""
        with self._transaction():
            number = self._new_commit(sealed=False)
            document_key, passage_key = self._last_key("documents"), self._last_key("passages")
            for item in batch:
                former = self._alive(item.document.id)
                if former is not None:
                    self._set_death(former.key, number)
                document_key += 1
                row = rows.document_row(document_key, number, item.document, item.content_hash)
                self._insert("documents", schema.DOCUMENT_COLUMNS, row)
                for ordinal, (passage, vector) in enumerate(zip(item.passages, item.vectors, strict=True)):
                    passage_key += 1
                    row = rows.passage_row(passage_key, number, document_key, ordinal, passage, vector)
                    self._insert("passages", schema.PASSAGE_COLUMNS, row)
                self._see(document_key)

    def seal(self, ending: Callable[[], Iterable[int]] | None = None) -> int:
        """Close the build: drop what an unfinished one left and this one did not meet; return the sealed commit.

        ``ending`` then names the keys of living documents that end with this commit. Without any change since the last
        seal no commit is made; where ``ending`` raises, nothing is changed.
        """
        with self._transaction():
            stale = self._store.query(
                "SELECT id FROM documents WHERE died = ? AND born > ? AND key NOT IN (SELECT key FROM seen)",
                (FOREVER, self.sealed),
            )
            for (name,) in stale:
                stored = self._alive(str(name))
                if stored is not None:
                    self._drop(stored)
            ended = [] if ending is None else list(ending())
            changed = ended or self._store.query(
                "SELECT 1 FROM documents WHERE born > ? UNION ALL "
                "SELECT 1 FROM documents WHERE died > ? AND died < ? LIMIT 1",
                (self.sealed, self.sealed, FOREVER),
            )
            if changed:
                self.sealed = self._new_commit(sealed=True)
            for key in ended:
                self._set_death(key, self.sealed)
        return self.sealed

    def unmet(self, source: Callable[[str], bool]) -> list[int]:
        """Return the keys of the living documents that this build has not met and whose source is accepted."""
        found = self._store.query(
            "SELECT key, source FROM documents WHERE died = ? AND key NOT IN (SELECT key FROM seen)", (FOREVER,)
        )
        names = {name for name in {name for _, name in found} if source(str(name))}
        return [rows.integer(key) for key, name in found if name in names]

    def record(self, name: str, value: str) -> None:
        """Make a setting, unless it is so already."""
        if self._store.setting(name) != value:
            with self._transaction():
                self._set(name, value)

    def remove_dead(self, commit: int) -> Removed:
        """Remove the rows that neither ``commit`` nor a later one sees; raise DamagedIndex if one is not as written."""
        with self._transaction():
            # What is damaged may only look dead.
            for table in ("documents", "passages"):
                for row in scanning.every_row(self._store, table, died_by=commit):
                    rows.checked(self._store.path, table, row)
            passages, documents = (self._delete_dead(table, commit) for table in ("passages", "documents"))
            if documents:
                self._set("compacted", str(commit))
        return Removed(documents=documents, passages=passages)

    def _alive(self, document_id: str) -> rows.StoredDocument | None:
        return self._store.stored_document(document_id, FOREVER - 1)

    def _predecessor(self, stored: rows.StoredDocument) -> rows.StoredDocument | None:
        return self._store.stored_document(stored.document.id, self.sealed)

    def _drop(self, stored: rows.StoredDocument) -> None:
        self._store.query("DELETE FROM passages WHERE document = ?", (stored.key,))
        self._store.query("DELETE FROM documents WHERE key = ?", (stored.key,))
        former = self._predecessor(stored)
        if former is not None:
            self._set_death(former.key, FOREVER)

    def _set_death(self, document: int, died: int) -> None:
        # Rows are read whole, and so checked, before a new checksum is made: damage is never signed anew.
        self._rewrite_death("documents", schema.DOCUMENT_COLUMNS, "key", document, died)
        self._rewrite_death("passages", schema.PASSAGE_COLUMNS, "document", document, died)

    def _rewrite_death(self, table: str, columns: Sequence[str], where: str, key: int, died: int) -> None:
        place = columns.index("died")
        found = self._store.query(f"SELECT {', '.join(columns)}, checksum FROM {table} WHERE {where} = ?", (key,))
        for row in found:
            values = list(rows.checked(self._store.path, table, row))
            values[place] = died
            self._store.query(
                f"UPDATE {table} SET died = ?, checksum = ? WHERE key = ?",
                (died, schema.row_checksum(table, values), values[0]),
            )

    def _delete_dead(self, table: str, commit: int) -> int:
        self._store.query(f"DELETE FROM {table} WHERE died <= ?", (commit,))
        return rows.integer(self._store.query("SELECT changes()")[0][0])

    def _new_commit(self, *, sealed: bool) -> int:
        number = self._store.last_commit() + 1
        # So exact that no other history has a commit of the same number and time.
        time = datetime.now(UTC).isoformat(timespec="microseconds")
        self._insert("commits", ("number", "time", "sealed"), (number, time, int(sealed)))
        return number

    def _last_key(self, table: str) -> int:
        # Keys are never used twice, so that an old reader can never meet another passage under a key it knows.
        found = self._store.query("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return rows.integer(found[0][0]) if found else 0

    def _set(self, name: str, value: str) -> None:
        self._insert("settings", ("name", "value"), (name, value), verb="INSERT OR REPLACE")

    def _insert(self, table: str, columns: Sequence[str], row: Sequence[Value], verb: str = "INSERT") -> None:
        marks = ", ".join("?" * (len(columns) + 1))
        self._store.query(
            f"{verb} INTO {table} ({', '.join(columns)}, checksum) VALUES ({marks})",
            (*row, schema.row_checksum(table, row)),
        )

    def _is_seen(self, key: int) -> bool:
        return bool(self._store.query("SELECT 1 FROM seen WHERE key = ?", (key,)))

    def _see(self, key: int) -> None:
        self._store.query("INSERT OR IGNORE INTO seen VALUES (?)", (key,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._store.query("BEGIN IMMEDIATE")
        try:
            yield
            self._store.query("COMMIT")
        except BaseException:
            # A full disk has rolled the transaction back already.
            if self._connection.in_transaction:
                with storage_faults(self._store.path.parent):
                    self._connection.rollback()
            raise


def checkpoint(store: PassageStore) -> None:
    """Move the write-ahead log into the database file as far as open readers let it; what stays in it is as durable."""
    store.query("PRAGMA wal_checkpoint(TRUNCATE)")
