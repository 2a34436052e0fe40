"""From the sources that a user names to the regular files behind them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from corpora.documents import Document
from corpora.errors import RowError

MAX_FILE_BYTES = 200 * 2**20
"""Formats that are read whole refuse larger files."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class ByteStream(Protocol):
    """What is asked of an open file or pipe."""

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes; fewer only at the end."""

    def readline(self, size: int, /) -> bytes:
        """Return one line with its end, or its first ``size`` bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One regular file to read.

    ``relative`` is the POSIX path that ids are made of: relative to the folder given, or the bare name of a file
    given directly. ``shown`` is how messages name the file: one printable line. ``source`` is the absolute path.
    ``given`` says that the user named this very file, so that trouble with all of it stops the run.
    """

    path: Path
    relative: str
    shown: str
    source: str
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One document and the line that it stood on (None where the format has no rows)."""

    document: Document
    line: int | None = None


def printable(text: str) -> str:
    """Escape whatever would break a one-line message or cannot be written as UTF-8."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def is_encodable(text: str) -> bool:
    """Say whether the text holds no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def lies_in(source: str, given: str) -> bool:
    """Say whether a document's source is the one given: that very name, the file at that path, or one below it."""
    path = os.path.abspath(given)
    return source in (given, path) or source.startswith(os.path.join(path, ""))


def given_file(path: Path) -> SourceFile:
    """Describe a file that the user named."""
    source = os.path.abspath(path)
    return SourceFile(path=path, relative=path.name, shown=printable(str(path)), source=source, given=True)


def walk(folder: Path) -> Iterator[SourceFile | RowError]:
    """Yield the regular files under a folder, sorted by name at each level, and a RowError for what is refused.

    Hidden names are skipped. A link is read where it leads to a file of the same tree; links that lead out of it,
    links to folders, pipes, sockets and devices are refused without being opened.
    """
    root = folder.resolve()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            if path == folder or (not path.is_symlink() and path.is_dir()):
                names = sorted(entry for entry in os.listdir(path) if not entry.startswith("."))
                waiting.extend(path / name for name in reversed(names))
            else:
                yield _file_in(folder, root, path)
        except OSError as error:
            yield RowError(printable(str(path)), None, f"cannot be read: {error.strerror}")


def _file_in(folder: Path, root: Path, path: Path) -> SourceFile | RowError:
    shown = printable(str(path))
    target = path
    if path.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root):
            return RowError(shown, None, "is a link that leads out of the folder, and is not followed")
        if target.is_dir():
            return RowError(shown, None, "is a link to a folder, and is not followed")
    if not stat.S_ISREG(target.stat().st_mode):
        return RowError(shown, None, "is not a regular file")
    source = os.path.abspath(path)
    if not is_encodable(source):
        return RowError(shown, None, "has a path that is not UTF-8; rename it")
    relative = path.relative_to(folder).as_posix()
    return SourceFile(path=target, relative=relative, shown=shown, source=source, given=False)


def open_file(file: SourceFile) -> BinaryIO:
    """Open a regular file for reading; raise RowError where the path has become anything else."""
    # Without O_NONBLOCK, a pipe that took the file's place since the check would hang the run.
    descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise RowError(file.shown, None, "is not a regular file")
    return stream


def read_bytes(file: SourceFile) -> bytes:
    """Read a file whole; raise RowError above 200 MB."""
    with open_file(file) as stream:
        return limited(stream, file)


def limited(stream: ByteStream, file: SourceFile) -> bytes:
    """Read a stream to its end; raise RowError above 200 MB."""
    content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise RowError(file.shown, None, f"is larger than {MAX_FILE_BYTES // 2**20} MB: split it, or use JSONL")
    return content


def decode(content: bytes, file: SourceFile) -> str:
    """Decode UTF-8, without its byte order mark, line ends as they are; raise RowError on anything else."""
    refuse_utf16(content, file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = f"is not UTF-8 (byte 0x{content[error.start]:02x} in line {line}): save it as UTF-8"
        raise RowError(file.shown, None, reason) from None


def refuse_utf16(content: bytes, file: SourceFile) -> None:
    """Raise RowError where the content begins with a UTF-16 or UTF-32 byte order mark."""
    if content.startswith(_UTF16_MARKS):
        raise RowError(file.shown, None, "is UTF-16, not UTF-8: save it as UTF-8")


def read_text(file: SourceFile) -> str:
    """Read and decode a file whole; raise RowError where that cannot be done."""
    return decode(read_bytes(file), file)
