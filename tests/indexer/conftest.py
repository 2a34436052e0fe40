"""Small real parts for the index: an embedder of character trigrams and a splitter of lines."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from corpora.documents import Document, Passage
from indexer.building import IndexProgress, IndexReport, build_index


@dataclass
class TrigramEmbedder:
    """Unit vectors of hashed character trigram counts; keeps the texts that it was given."""

    name: str = "trigrams"
    revision: str = "1"
    dimension: int = 64
    embedded: list[str] = field(default_factory=list)

    def encode_query(self, texts: list[str]) -> np.ndarray:
        return self._vectors(texts)

    def encode_document(self, texts: list[str]) -> np.ndarray:
        self.embedded.extend(texts)
        return self._vectors(texts)

    def _vectors(self, texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = f"^^{text}$$"
            for i in range(len(padded) - 2):
                row[zlib.crc32(padded[i : i + 3].encode()) % self.dimension] += 1
            row /= np.linalg.norm(row)
        return vectors


@dataclass
class LineSplitter:
    """Every line that is not empty is a passage."""

    target_tokens: int = 200
    max_tokens: int = 400
    overlap_sentences: int = 0

    def split(self, document: Document) -> list[Passage]:
        passages, start = [], 0
        for line in document.text.split("\n"):
            if line:
                passages.append(
                    Passage(
                        id=f"{document.id}@{start}",
                        document_id=document.id,
                        text=line,
                        start=start,
                        title=document.title,
                        headings=next((s.headings for s in reversed(document.sections) if s.start <= start), ()),
                        language=document.language,
                        page=next((s.page for s in reversed(document.sections) if s.start <= start), None),
                        source=document.source,
                    )
                )
            start += len(line) + 1
        return passages


Build = Callable[..., IndexReport]


@pytest.fixture
def new_embedder() -> Callable[..., TrigramEmbedder]:
    return TrigramEmbedder


@pytest.fixture
def embedder() -> TrigramEmbedder:
    return TrigramEmbedder()


@pytest.fixture
def splitter() -> LineSplitter:
    return LineSplitter()


@pytest.fixture
def build(embedder: TrigramEmbedder, splitter: LineSplitter) -> Build:
    """Return ``build_index`` with the small parts in place."""

    def run(
        directory: Path,
        documents: Iterable[Document],
        *,
        with_embedder: TrigramEmbedder | None = None,
        with_splitter: LineSplitter | None = None,
        remove: Callable[[str], bool] | None = None,
        progress: Callable[[IndexProgress], None] | None = None,
    ) -> IndexReport:
        return build_index(
            directory,
            documents,
            embedder=embedder if with_embedder is None else with_embedder,
            splitter=splitter if with_splitter is None else with_splitter,
            remove=remove,
            progress=progress,
        )

    return run


@pytest.fixture
def rivers() -> list[Document]:
    """Three documents of four passages in three languages, one without a language."""
    return [
        Document(
            id="danube",
            text="The Danube rises in the Black Forest.\nIt ends in the Black Sea.",
            title="Danube",
            language="en",
            source="/rivers.jsonl",
            metadata={"length_km": 2850, "tags": ["river", "Europe"]},
        ),
        Document(
            id="volga", text="Волга впадает в Каспийское море.", title="Волга", language="ru", source="/rivers.jsonl"
        ),
        Document(id="nile", text="The Nile flows north.", source="/rivers.jsonl"),
    ]
