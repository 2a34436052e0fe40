"""One line for every error that a user can mend, and the exit code that goes with it."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass

from corpora.errors import SpanglotError, UsageError
from encoder.errors import ModelError

ERROR, USAGE_ERROR = 1, 2

_NO_SPACE = "no space left on the device: free some space and run the command again; what was stored before is intact"
_READ_ONLY = "the place is read-only: choose a directory that can be written"
_CURES = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: "the disk quota is used up: free some space and run the command again",
    errno.EROFS: _READ_ONLY,
    errno.EACCES: "permission denied: choose a place that you may use, or change its permissions",
    errno.EPERM: "the operation is not permitted: choose a place that you may use",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n) and run the command again",
    errno.ENAMETOOLONG: "the name is too long: give a shorter one",
    errno.EADDRINUSE: "the address is in use already: give another --port",
    errno.EADDRNOTAVAIL: "the address is not one of this machine: give another --host",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is said on stderr, and how the process ends."""

    message: str
    exit_code: int


def describe(error: BaseException) -> Failure | None:
    """Return the line for an error that is not a defect of the program; None for one that is."""
    if isinstance(error, UsageError):
        return Failure(message=str(error), exit_code=USAGE_ERROR)
    if isinstance(error, SpanglotError | ModelError):
        return Failure(message=str(error), exit_code=ERROR)
    if isinstance(error, OSError):
        return Failure(message=_os_message(error), exit_code=ERROR)
    if isinstance(error, sqlite3.Error):
        return Failure(message=f"the index's database cannot be used: {error}", exit_code=ERROR)
    if isinstance(error, MemoryError):
        return Failure(message="not enough memory: give fewer or smaller documents at once", exit_code=ERROR)
    return None


def _os_message(error: OSError) -> str:
    reason = error.strerror if error.strerror is not None else str(error)
    known = None if error.errno is None else _CURES.get(error.errno)
    message = reason if known is None else known
    return message if error.filename is None else f"{_name(error.filename)}: {message}"


def _name(filename: object) -> str:
    return repr(filename) if not isinstance(filename, str) or not filename.isprintable() else filename
