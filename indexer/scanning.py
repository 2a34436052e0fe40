"""Every row of a table, as it lies in the file."""

from __future__ import annotations

from collections.abc import Iterator

from indexer import rows, schema
from indexer.store import PassageStore

_ROWS_AT_ONCE = 512


def every_row(store: PassageStore, table: str, *, died_by: int | None = None) -> Iterator[rows.Row]:
    """Yield the rows of a table unchecked, their checksums last; of the dead ones only where ``died_by`` is given.

    ``died_by`` is a commit: the rows that it no longer sees. Raise DamagedIndex where SQLite cannot read the table.
    """
    columns = ", ".join((*schema.TABLES[table], "checksum"))
    dead = "" if died_by is None else f"AND died <= {died_by}"
    last: schema.Value = -(2**63)
    while True:
        found = store.query(
            f"SELECT rowid, {columns} FROM {table} NOT INDEXED WHERE rowid > ? {dead} ORDER BY rowid LIMIT ?",
            (last, _ROWS_AT_ONCE),
        )
        for place, *row in found:
            last = place
            yield tuple(row)
        if len(found) < _ROWS_AT_ONCE:
            return
