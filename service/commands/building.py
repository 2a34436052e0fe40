"""Build an index with a progress bar on stderr."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from corpora import Document, ReadReport
    from indexer import Embedder, IndexProgress, IndexReport

# Formats that are read so much faster than they are embedded that counting them first costs nothing to speak of.
_COUNTABLE = {".jsonl", ".ndjson", ".json", ".txt", ".text", ".md", ".markdown"}
_MOST_COUNTED_BYTES = 64 << 20


def build(
    sources: Sequence[str],
    directory: str | Path,
    embedder: Embedder,
    report: ReadReport,
    remove: Callable[[str], bool] | None = None,
) -> IndexReport:
    """Index the sources into the directory, telling on stderr how far it is; rejected rows go to ``report``."""
    from corpora import read_documents
    from service.commands import console

    # Counting reads the sources once more, for the sake of the bar alone.
    total = count_documents(sources) if console.notices().is_terminal else None
    return build_documents(read_documents(sources, report=report), directory, embedder, total, remove)


def build_documents(
    documents: Iterable[Document],
    directory: str | Path,
    embedder: Embedder,
    total: int | None,
    remove: Callable[[str], bool] | None = None,
) -> IndexReport:
    """Index documents into the directory, telling on stderr how far it is; ``total`` is their number, if known."""
    from indexer import build_index
    from service import opening
    from service.commands import console

    with _progress(console.notices()) as bar:
        task = bar.add_task("indexing", total=total, speed=0.0, passages=0)

        def show(done: IndexProgress) -> None:
            speed = done.embedded / done.elapsed_seconds if done.elapsed_seconds > 0 else 0.0
            bar.update(task, completed=done.documents, passages=done.embedded, speed=speed)

        splitter = opening.make_splitter()
        return build_index(directory, documents, embedder=embedder, splitter=splitter, remove=remove, progress=show)


def count_documents(sources: Sequence[str]) -> int | None:
    """Count the documents of the sources where that is quick; None where it is not, as for standard input."""
    from corpora import ReadReport, read_documents

    files = [file for source in sources for file in _files(source)]
    if any(file.suffix.lower() not in _COUNTABLE or not file.is_file() for file in files):
        return None
    if sum(file.stat().st_size for file in files) > _MOST_COUNTED_BYTES:
        return None
    return sum(1 for _ in read_documents(sources, report=ReadReport()))


def _files(source: str) -> list[Path]:
    if not os.path.isdir(source):
        return [Path(source)]
    return [Path(folder, name) for folder, _, names in os.walk(source) for name in names if not name.startswith(".")]


def _progress(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("documents, {task.fields[passages]:,} passages, {task.fields[speed]:.0f}/s, elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
