"""Reading as the other packages see it: sources in, documents and a report out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from corpora import Document, ReadReport, read_documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one run has given."""

    documents: list[Document]
    report: ReadReport

    @property
    def ids(self) -> list[str]:
        """Ids of the documents, in order."""
        return [document.id for document in self.documents]

    @property
    def errors(self) -> list[str]:
        """Messages of the rejected rows and files, in order."""
        return [str(error) for error in self.report.errors]


Read = Callable[..., Reading]
WriteRows = Callable[..., Path]


@pytest.fixture
def read() -> Read:
    def run(*sources: str | Path) -> Reading:
        report = ReadReport()
        return Reading(documents=list(read_documents(sources, report=report)), report=report)

    return run


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    """Write a JSONL file of the rows given; a row that is already bytes is written as it is."""

    def write(*rows: object, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
        path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    return write
