"""Documents out of files, folders and standard input, as a stream."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpora.documents import Document
from corpora.errors import CorpusError, DuplicateDocument, RowError, UsageError
from corpora.html import read_html
from corpora.jsonl import read_jsonl
from corpora.markdown import read_markdown
from corpora.sources import Row, SourceFile, given_file, is_encodable, printable, walk
from corpora.squad import read_squad
from corpora.standard_input import STANDARD_INPUT, read_standard_input
from corpora.text import read_plain_text

MAX_KEPT_ERRORS = 1_000

READERS: dict[str, Callable[[SourceFile], Iterator[Row | RowError]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_squad,
    ".txt": read_plain_text,
    ".text": read_plain_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
}
"""Which reader takes a file, by its suffix in lower case."""


@dataclass(slots=True, kw_only=True)
class ReadReport:
    """What a run of ``read_documents`` has met so far.

    ``errors`` keeps the first 1,000 rejected rows and files; ``rejected`` counts them all.
    """

    documents: int = 0
    rejected: int = 0
    errors: list[RowError] = field(default_factory=list)

    def reject(self, error: RowError) -> None:
        """Count a rejected row or file, and keep it while there is room."""
        self.rejected += 1
        if len(self.errors) < MAX_KEPT_ERRORS:
            self.errors.append(error)


def read_documents(sources: Sequence[str | Path], *, report: ReadReport) -> Iterator[Document]:
    """Stream the documents of files, folders and standard input ("-"), in the order given.

    The sources are checked before the first document: one that is missing, of an unknown type, not readable, or a
    folder without any readable type raises CorpusError. While reading, bad rows and, in a folder, bad files go to
    ``report``; a file given directly that cannot be used as a whole raises CorpusError. Two files that give the same
    document id raise DuplicateDocument; within one file the first row keeps the id.
    """
    if not sources:
        raise UsageError("no source given: name a file, a folder, or - for standard input")
    checked = [_checked(source) for source in sources]
    return _documents(checked, report)


def _checked(source: str | Path) -> Path:
    """Return the source as a path, or raise CorpusError where it cannot be read at all."""
    path = Path(source)
    shown = printable(str(source))
    if str(source) == "-":
        return path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CorpusError(f"{shown}: no such file or folder; check the path") from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(mode):
        if not any(isinstance(found, SourceFile) and _suffix(found) in READERS for found in walk(path)):
            raise CorpusError(f"{shown}: the folder holds no file of a type that can be read ({_known_types()})")
    elif not stat.S_ISREG(mode):
        raise CorpusError(f"{shown}: is not a regular file; pipe JSONL or text in, with - as the source")
    elif path.suffix.lower() not in READERS:
        raise CorpusError(f"{shown}: files of this type cannot be read; known types are {_known_types()}")
    elif not is_encodable(given_file(path).source):
        raise CorpusError(f"{shown}: has a path that is not UTF-8; rename it")
    return path


def _documents(sources: Sequence[Path], report: ReadReport) -> Iterator[Document]:
    ids = _Ids()
    for source in sources:
        for file in _files(source):
            if isinstance(file, RowError):
                report.reject(file)
                continue
            for row in _rows(file):
                checked = ids.claim(row, file) if isinstance(row, Row) else row
                if isinstance(checked, RowError):
                    report.reject(checked)
                else:
                    report.documents += 1
                    yield checked


def _files(source: Path) -> Iterator[SourceFile | RowError]:
    if str(source) == "-":
        yield STANDARD_INPUT
    elif source.is_dir():
        yield from walk(source)
    else:
        yield given_file(source)


def _rows(file: SourceFile) -> Iterator[Row | RowError]:
    """Read one file; trouble with all of it is one RowError in a folder, and CorpusError where the file was given."""
    try:
        if file is STANDARD_INPUT:
            yield from read_standard_input()
            return
        reader = READERS.get(_suffix(file))
        if reader is None:
            raise RowError(file.shown, None, f"is of no known type ({_known_types()})")
        yield from reader(file)
    except OSError as error:
        yield _whole_file(file, RowError(file.shown, None, f"cannot be read: {error.strerror}"))
    except RowError as error:
        yield _whole_file(file, error)


def _whole_file(file: SourceFile, error: RowError) -> RowError:
    if file.given:
        raise CorpusError(str(error)) from error
    return error


def _suffix(file: SourceFile) -> str:
    return Path(file.relative).suffix.lower()


def _known_types() -> str:
    return ", ".join(READERS)


class _Ids:
    """Remember which file each document id came from."""

    def __init__(self) -> None:
        self._file_of: dict[str, int] = {}
        self._files: list[str] = []

    def claim(self, row: Row, file: SourceFile) -> Document | RowError:
        """Return the row's document if its id is new, a RowError if the same file gave it before; else raise."""
        document_id = row.document.id
        if not self._files or self._files[-1] != file.source:
            self._files.append(file.source)
        number = self._file_of.setdefault(document_id, -1)
        if number < 0:
            self._file_of[document_id] = len(self._files) - 1
            return row.document
        if self._files[number] != file.source:
            raise DuplicateDocument(document_id, printable(self._files[number]), printable(file.source))
        return RowError(file.shown, row.line, f"repeats the document id {document_id!r}; the first one is kept")
