"""The tables of the store, their version, and the checksum of a row."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from indexer import errors

FORMAT_VERSION = 1
APPLICATION_ID = 0x5370_4C74  # "SpLt", in the header of the file
# A row that has not died: larger than any commit number.
FOREVER = 2**62

Value = None | int | float | str | bytes

DOCUMENT_COLUMNS = (
    "key", "born", "died", "id", "source", "title", "language", "content_hash", "metadata", "sections", "text",
)  # fmt: skip
PASSAGE_COLUMNS = (
    "key", "born", "died", "document", "ordinal", "id", "start", "stop", "headings", "page", "language", "vector",
)  # fmt: skip
# Every table with its columns but the checksum; the first one is its key.
TABLES = {
    "settings": ("name", "value"),
    "commits": ("number", "time", "sealed"),
    "documents": DOCUMENT_COLUMNS,
    "passages": PASSAGE_COLUMNS,
}

_VERSION_1 = f"""
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE commits (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, sealed INTEGER NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT, born INTEGER NOT NULL, died INTEGER NOT NULL, id TEXT NOT NULL,
    source TEXT NOT NULL, title TEXT NOT NULL, language TEXT, content_hash BLOB NOT NULL, metadata TEXT NOT NULL,
    sections TEXT NOT NULL, text TEXT NOT NULL, checksum BLOB NOT NULL
);
CREATE INDEX documents_by_id ON documents (id, born);
CREATE UNIQUE INDEX documents_alive ON documents (id) WHERE died = {FOREVER};
CREATE INDEX documents_by_life ON documents (born, died, language);
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, born INTEGER NOT NULL, died INTEGER NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (key), ordinal INTEGER NOT NULL, id TEXT NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, headings TEXT NOT NULL, page INTEGER, language TEXT,
    vector BLOB NOT NULL, checksum BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document);
CREATE INDEX passages_by_life ON passages (born, died);
"""

# Entry i brings a store from version i to version i + 1.
_MIGRATIONS = (_VERSION_1,)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables of a new store, or bring an older one up to date; all or nothing.

    Raise StoreError for a database of another program or of a newer Spanglot.
    """
    version = check_version(connection, path)
    if version == FORMAT_VERSION:
        return
    steps = "".join(_MIGRATIONS[version:])
    connection.executescript(
        f"BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {FORMAT_VERSION}; COMMIT;"
    )


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the store, 0 for an empty file; refuse what is not ours or newer than we know."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise errors.StoreError(f"{path} is a database of another program: give another directory")
    if not 0 <= version <= FORMAT_VERSION:
        raise errors.StoreError(
            f"{path} has format version {version}, this Spanglot reads up to {FORMAT_VERSION}: use a newer Spanglot"
        )
    return int(version)


def row_checksum(table: str, values: Sequence[Value]) -> bytes:
    """Return eight bytes that change with any value of a row, its type, its column or its table."""
    parts = [table.encode()]
    for value in values:
        if value is None:
            parts.append(b"N;")
        elif isinstance(value, str | bytes):
            tag, data = (
                (b"S%d:", value.encode("utf-8", "surrogateescape")) if isinstance(value, str) else (b"B%d:", value)
            )
            parts += (tag % len(data), data)
        else:
            parts.append(f"{type(value).__name__}{value};".encode())
    return hashlib.blake2b(b"".join(parts), digest_size=8).digest()
