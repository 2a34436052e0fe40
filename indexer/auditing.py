"""Read every row of the store, and say what of it is not as it was written or does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from indexer import errors, rows, scanning, schema
from indexer.schema import Value
from indexer.store import PassageStore

_CURE = "restore the file from a copy, or index again into a new directory"
_REPORT_EVERY = 256


@dataclass(frozen=True, slots=True)
class _Life:
    """What passages must agree with: when their document lived, and how long its text is."""

    born: int
    died: int
    length: int


def store_problems(store: PassageStore, progress: Callable[[int, int], None] | None = None) -> Iterator[str]:
    """Yield a line for each thing that is wrong with the rows of a store; none for a sound one.

    ``progress`` is told how many rows have been read, and of how many.
    """
    try:
        for (line,) in store.query("PRAGMA integrity_check"):
            if line != "ok":
                yield f"{store.path} is damaged ({line!r}): {_CURE}"
        yield from _Audit(store, progress).problems()
    except errors.DamagedIndex as error:
        # SQLite itself cannot read on.
        yield str(error)


class _Audit:
    def __init__(self, store: PassageStore, progress: Callable[[int, int], None] | None) -> None:
        self._store = store
        self._progress = progress
        self._read = 0
        self._lives: dict[Value, _Life | None] = {}
        self._last: tuple[Value, Value] | None = None

    def problems(self) -> Iterator[str]:
        checks = {"documents": self._document, "passages": self._passage}
        yield from self._missing_settings()
        total = sum(rows.integer(self._store.query(f"SELECT count(*) FROM {table}")[0][0]) for table in schema.TABLES)
        for table in schema.TABLES:
            for row in scanning.every_row(self._store, table):
                try:
                    if table in checks:
                        yield from checks[table](row)
                    else:
                        rows.checked(self._store.path, table, row)
                except errors.DamagedIndex as error:
                    yield str(error)
                self._tell(total)

    def _missing_settings(self) -> Iterator[str]:
        if self._store.query("SELECT 1 FROM commits LIMIT 1"):
            known = {name for (name,) in self._store.query("SELECT name FROM settings")}
            for name in sorted({"embedder", "store_id"} - known):
                yield f"{self._store.path} is damaged: row {name!r} of table settings is missing; {_CURE}"

    def _document(self, row: Sequence[Value]) -> Iterator[str]:
        # Of a document that cannot be read nothing is asked of its passages.
        self._lives[row[0]] = None
        stored = rows.read_document(self._store.path, row)
        self._lives[stored.key] = _Life(stored.born, stored.died, len(stored.document.text))
        yield from ()

    def _passage(self, row: Sequence[Value]) -> Iterator[str]:
        former, (document, ordinal) = self._last, row[3:5]
        self._last = (document, ordinal)
        stored = rows.read_passage(self._store.path, row)
        if stored.document not in self._lives:
            yield self._wrong(stored.key, f"belongs to row {stored.document} of table documents, which is missing")
            return
        life = self._lives[stored.document]
        if life is None:
            return
        if (stored.born, stored.died) != (life.born, life.died):
            yield self._wrong(stored.key, "does not live as long as its document")
        if not 0 <= stored.start <= stored.stop <= life.length:
            yield self._wrong(stored.key, f"is the slice {stored.start}-{stored.stop} of {life.length} characters")
        follows = former[1] if former is not None and former[0] == document else -1
        if rows.integer(ordinal) != rows.integer(follows) + 1:
            yield self._wrong(stored.key, f"is passage {ordinal!r} of its document, and the one before it is missing")

    def _wrong(self, key: int, problem: str) -> str:
        return f"{self._store.path} is damaged: row {key} of table passages {problem}; {_CURE}"

    def _tell(self, total: int) -> None:
        self._read += 1
        if self._progress is not None and (self._read % _REPORT_EVERY == 0 or self._read == total):
            self._progress(self._read, total)
