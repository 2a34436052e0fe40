"""Connections to the store's SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

_BUSY_SECONDS = 10.0


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open or create the file for writing; every statement is its own transaction unless BEGIN says otherwise."""
    return _connect(str(path), uri=False)


def prepare_for_writing(connection: sqlite3.Connection) -> None:
    """Let readers read beside the writer, and let a commit return only once it is on the disk."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading, on read-only media too."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = _connect(address, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        log = path.with_name(path.name + "-wal")
        if error.sqlite_errorname not in ("SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY") or (
            log.exists() and log.stat().st_size
        ):
            raise
        # On read-only media SQLite cannot make its shared memory file; without a log nothing can be missed.
        return _connect(address + "&immutable=1", uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(address: str, *, uri: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=uri, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.text_factory = _lenient_text
    return connection


def _lenient_text(data: bytes) -> str:
    # Bytes that are not UTF-8 must reach the checksum, which refuses the row by name.
    return data.decode("utf-8", "surrogateescape")
