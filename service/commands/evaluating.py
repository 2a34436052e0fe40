"""What the commands of ``spanglot evaluate`` share: the questions, the index, the bar and the warning."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer import Index
    from reader import XlmReader
    from reader.questions import GoldQuestion


def read_questions(files: Sequence[str]) -> list[GoldQuestion]:
    """Read the questions of all files; raise CorpusError where there is none to ask."""
    from corpora.errors import CorpusError
    from reader.questions import read_questions as read_file

    questions = [question for file in files for question in read_file(file)]
    if not any(question.answers for question in questions):
        raise CorpusError(f"{files[0]}: no question with an expected answer; give a file that has some")
    return questions


def sampled(questions: list[GoldQuestion], size: int | None) -> list[GoldQuestion]:
    """Return ``size`` answerable questions of each language, or all questions as they are where it is None."""
    from reader.evaluation import sample_by_language

    return questions if size is None else sample_by_language(questions, size)


def chart_path(name: str | None) -> Path | None:
    """Return where to draw, None where nowhere; raise ReaderError where no chart could be written there."""
    from reader.charts import require_charts

    if name is None:
        return None
    require_charts(Path(name))
    return Path(name)


@contextmanager
def opened_index(directory: str | None, questions: Sequence[GoldQuestion], device: str) -> Iterator[Index]:
    """Open an index; where none is named, one of the paragraphs of the questions that is made now and thrown away."""
    from indexer import Index, embedding
    from service.commands import building
    from service.retrieval_evaluation import context_documents

    if directory is not None:
        with Index.open(directory, device=device) as index:
            yield index
        return
    embedder = embedding.load_embedder(device=device)
    documents = context_documents(questions)
    with tempfile.TemporaryDirectory() as scratch:
        building.build_documents(documents, scratch, embedder, len(documents))
        with Index.open(scratch, embedder=embedder, device=device) as index:
            yield index


@contextmanager
def questions_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr where that is a terminal; what it yields is told how many are done, and of all."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from service.commands import console

    notices = console.notices()
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notices, transient=True, disable=not notices.is_terminal) as progress:
        task = progress.add_task("questions", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def warn_of_contamination(files: Sequence[str], reader: XlmReader) -> list[str]:
    """Return the sets among the files that the reader was trained on; a notice says so where there are any."""
    from reader.contamination import contaminated_sets, contamination_warning
    from service.commands import console

    contaminated = contaminated_sets(files, reader.settings.trained_on)
    if contaminated:
        console.notices().print(console.one_line(contamination_warning(reader.name, contaminated)))
    return contaminated
