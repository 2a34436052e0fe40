"""Plain text files: one document each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from corpora.documents import Document
from corpora.errors import RowError
from corpora.languages import detect_language
from corpora.sources import Row, SourceFile, read_text


def read_plain_text(file: SourceFile) -> Iterator[Row | RowError]:
    """Yield the file as one document, titled by its name; its text is the file's, line ends included."""
    yield text_document(read_text(file), file)


def text_document(text: str, file: SourceFile) -> Row | RowError:
    """Make one document of a whole file's text, or a RowError where that is blank."""
    if not text.strip():
        return RowError(file.shown, None, "holds no text")
    return Row(
        document=Document(
            id=file.relative,
            text=text,
            title=file_stem(file),
            language=detect_language(text),
            source=file.source,
        )
    )


def file_stem(file: SourceFile) -> str:
    """Return the file's name without its last suffix."""
    return PurePosixPath(file.relative).stem
