"""Documents and passages as rows, and back; nothing leaves a row before its checksum holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpora.documents import NO_METADATA, Document, Passage, Section
from corpora.errors import CorpusError
from indexer import errors, schema
from indexer.schema import Value

Row = tuple[Value, ...]
Floats = npt.NDArray[np.float32]
# Little endian whatever the machine, so that an index can be copied to another.
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document with what the store knows of it."""

    key: int
    born: int
    died: int
    content_hash: bytes
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A passage row: its place in the document of key ``document``, and its vector (float32)."""

    key: int
    born: int
    died: int
    document: int
    id: str
    start: int
    stop: int
    headings: tuple[str, ...]
    page: int | None
    language: str | None
    vector: Floats

    def passage(self, document: Document) -> Passage:
        """Return the passage, its text cut from the document that holds it."""
        return Passage(
            id=self.id,
            document_id=document.id,
            text=document.text[self.start : self.stop],
            start=self.start,
            title=document.title,
            headings=self.headings,
            language=self.language,
            page=self.page,
            source=document.source,
        )


def document_row(key: int, born: int, document: Document, content_hash: bytes) -> Row:
    """Return the values of a living document in the order of ``schema.DOCUMENT_COLUMNS``."""
    return (
        key, born, schema.FOREVER, document.id, document.source, document.title, document.language, content_hash,
        _metadata_json(document), _sections_json(document), document.text,
    )  # fmt: skip


def passage_row(key: int, born: int, document_key: int, ordinal: int, passage: Passage, vector: Floats) -> Row:
    """Return the values of a living passage in the order of ``schema.PASSAGE_COLUMNS``; the vector becomes float16."""
    return (
        key, born, schema.FOREVER, document_key, ordinal, passage.id, passage.start, passage.end,
        json.dumps(passage.headings), passage.page, passage.language, vector.astype(_STORED).tobytes(),
    )  # fmt: skip


def read_document(path: Path, row: Sequence[Value]) -> StoredDocument:
    """Turn a checked row with its checksum last into a document; raise DamagedIndex if the checksum does not hold."""
    key, born, died, name, source, title, language, content_hash, metadata, sections, text = checked(
        path, "documents", row
    )
    document = Document(
        id=_text(name),
        text=_text(text),
        title=_text(title),
        language=None if language is None else _text(language),
        source=_text(source),
        metadata=json.loads(_text(metadata)) if metadata != "{}" else NO_METADATA,
        sections=tuple(
            Section(start=start, headings=tuple(headings), page=page)
            for start, headings, page in json.loads(_text(sections))
        ),
    )
    return StoredDocument(
        key=integer(key), born=integer(born), died=integer(died), content_hash=_bytes(content_hash), document=document
    )


def read_passage(path: Path, row: Sequence[Value]) -> StoredPassage:
    """Turn a row with its checksum last into a passage; raise DamagedIndex if the checksum does not hold."""
    key, born, died, document, _ordinal, name, start, stop, headings, page, language, vector = checked(
        path, "passages", row
    )
    return StoredPassage(
        key=integer(key),
        born=integer(born),
        died=integer(died),
        document=integer(document),
        id=_text(name),
        start=integer(start),
        stop=integer(stop),
        headings=tuple(json.loads(_text(headings))),
        page=None if page is None else integer(page),
        language=None if language is None else _text(language),
        vector=np.frombuffer(_bytes(vector), _STORED).astype(np.float32),
    )


def checked(path: Path, table: str, row: Sequence[Value]) -> Sequence[Value]:
    """Return a row without its last value, the checksum, once that holds; else raise DamagedIndex naming the row."""
    values, checksum = row[:-1], row[-1]
    if schema.row_checksum(table, values) != checksum:
        raise errors.DamagedIndex(
            f"{path} is damaged: row {values[0]!r} of table {table} is not what was written; restore the file from a "
            "copy, or index again into a new directory"
        )
    return values


def content_hash(document: Document, recipe: str) -> bytes:
    """Return what tells one content of a document from another: everything but its id and source, and the recipe.

    Raise CorpusError for text that is not Unicode (lone surrogates) and for metadata that JSON cannot hold.
    """
    values = (
        recipe, document.title, document.language, _metadata_json(document), _sections_json(document), document.text,
    )  # fmt: skip
    digest = hashlib.blake2b(digest_size=16)
    try:
        for value in values:
            data = b"\xff" if value is None else value.encode()
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
        for name in (document.id, document.source):
            name.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"document {document.id!r} of {document.source!r} holds a lone surrogate: repair the encoding of its source"
        ) from error
    return digest.digest()


def _metadata_json(document: Document) -> str:
    try:
        return json.dumps(dict(document.metadata), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CorpusError(
            f"document {document.id!r} of {document.source!r} has metadata that JSON cannot hold: {error}"
        ) from error


def _sections_json(document: Document) -> str:
    return json.dumps([[section.start, section.headings, section.page] for section in document.sections])


def integer(value: Value) -> int:
    if not isinstance(value, int):
        raise errors.DamagedIndex(f"a stored number is {value!r}: index again into a new directory")
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise errors.DamagedIndex(f"a stored text is {value!r}: index again into a new directory")
    return value


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise errors.DamagedIndex(f"a stored blob is {value!r}: index again into a new directory")
    return value
