"""Turn failures of the disk and of SQLite into one line with the cure."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer import errors

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_SQLITE_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_SCHEMA", "SQLITE_ERROR")
_KEPT = "What was published before is untouched; "


@contextmanager
def storage_faults(directory: Path) -> Iterator[None]:
    """Raise StoreError or DamagedIndex, naming ``directory``, for what the disk or SQLite refuses inside the block."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(directory, error) from error
    except UnicodeDecodeError as error:
        # SQLite quotes a damaged schema in its message, which Python cannot decode then.
        raise _damaged(directory, error.reason) from error
    except OSError as error:
        raise _from_os(directory, error) from error


def _from_sqlite(directory: Path, error: sqlite3.Error) -> errors.StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")):
        return _full(directory, str(error))
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return _denied(directory, str(error))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return errors.StoreError(f"the index at {directory} is locked by another program ({error}): try again later")
    if name.startswith(_SQLITE_DAMAGE):
        return _damaged(directory, str(error))
    return errors.StoreError(f"the index at {directory} cannot be used: {error}")


def _from_os(directory: Path, error: OSError) -> errors.StoreError:
    reason = error.strerror if error.strerror is not None else str(error)
    if error.errno in _FULL:
        return _full(directory, reason)
    if error.errno in _DENIED:
        return _denied(directory, reason)
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG):
        return errors.StoreError(f"{directory} cannot be a directory ({reason}): give another one")
    return errors.StoreError(f"the index at {directory} cannot be used: {reason}")


def _damaged(directory: Path, reason: str) -> errors.DamagedIndex:
    return errors.DamagedIndex(
        f"{directory / 'index.sqlite3'} is damaged ({reason}): restore it from a copy, or index again into a new "
        "directory"
    )


def _full(directory: Path, reason: str) -> errors.StoreError:
    return errors.StoreError(
        f"no room to write the index at {directory} ({reason}). {_KEPT}make room and run the same command again"
    )


def _denied(directory: Path, reason: str) -> errors.StoreError:
    return errors.StoreError(
        f"the index at {directory} cannot be written or opened ({reason}). {_KEPT}"
        "give a directory that you may write, or change its permissions"
    )
