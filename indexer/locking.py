"""One writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from indexer import errors
from indexer.faults import storage_faults

LOCK_FILE = "writer.lock"


@contextmanager
def writer_lock(directory: Path) -> Iterator[None]:
    """Hold the only right to write to ``directory``; a second writer gets a StoreError that names the first.

    The lock belongs to the open file, so the system frees it when the process ends, however it ends. The file stays:
    removing it would let two writers lock two files of one name.
    """
    with storage_faults(directory):
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(directory, descriptor)
        yield
    finally:
        os.close(descriptor)


def _acquire(directory: Path, descriptor: int) -> None:
    with storage_faults(directory):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.StoreError(
                f"the index at {directory} is being written by {_holder(descriptor)}: wait until it is done"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _signature(), 0)


def _signature() -> bytes:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"pid": os.getpid(), "started": started}).encode()


def _holder(descriptor: int) -> str:
    try:
        signature = json.loads(os.pread(descriptor, 1024, 0))
        return f"process {int(signature['pid'])} since {signature['started']}"
    except (ValueError, TypeError, KeyError):
        return "another process"
