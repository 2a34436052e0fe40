"""``spanglot demo``."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from service.commands.options import AllowPickleOption, DeviceOption, JsonOption, ReaderOption

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from service.answering import QuestionAnswerer
    from service.demo import Judged, Tally


def demo(
    json: JsonOption = False,
    device: DeviceOption = "auto",
    reader: ReaderOption = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Index the sample documents, ask the sample questions in many languages, and check the answers."""
    from service import demo as demos
    from service.commands import console, quiet

    quiet.quiet_libraries()
    started = time.perf_counter()
    with _open(device, reader, allow_pickle) as answerer:
        judged = _ask(answerer)
    seconds = time.perf_counter() - started
    tallies = demos.tally(judged)
    if json:
        console.write_json(_to_dict(judged, tallies, seconds))
    else:
        _print(console.results(), judged, tallies, seconds)


def _open(device: str, reader: str | None, allow_pickle: bool) -> QuestionAnswerer:
    """Open the index of the samples, made now where it is not there yet."""
    from corpora import ReadReport, sample_documents
    from encoder import home_directory
    from indexer import IndexNotFound, StoreError, embedding
    from service import demo as demos
    from service import opening
    from service.answering import QuestionAnswerer
    from service.commands import building

    embedder = embedding.load_embedder(device=device)
    directory = demos.demo_directory(home_directory(), sample_documents(), embedder)
    try:
        index = opening.open_index(directory, device=device, embedder=embedder)
    except StoreError as error:
        # The index is a cache of ours: where it is damaged it is made anew; one not finished may be another process's.
        if not isinstance(error, IndexNotFound):
            shutil.rmtree(directory, ignore_errors=True)
        building.build([str(sample_documents())], directory, embedder, ReadReport())
        index = opening.open_index(directory, device=device, embedder=embedder)
    return QuestionAnswerer(index, opening.open_reader(reader, device=device, allow_pickle=allow_pickle))


def _ask(answerer: QuestionAnswerer) -> list[Judged]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from corpora import sample_questions
    from service import demo as demos
    from service.commands import console

    samples = sample_questions()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    notices = console.notices()
    with Progress(*columns, console=notices, transient=True, disable=not notices.is_terminal) as bar:
        task = bar.add_task("asking", total=len(samples))
        return demos.ask_samples(answerer, samples, progress=lambda count: bar.advance(task, count))


def _print(console: Console, judged: Sequence[Judged], tallies: Sequence[Tally], seconds: float) -> None:
    from service import demo as demos

    for item in judged:
        _print_judged(console, item)
    spotlighted = demos.spotlight(judged)
    if spotlighted:
        console.print("In the spotlight", style="bold")
        for item in spotlighted:
            console.print(f"{_direction(item)}:")
            _print_judged(console, item)
    console.print(_table(tallies))
    console.print(f"{len(judged)} questions in {seconds:.1f} s")


def _print_judged(console: Console, item: Judged) -> None:
    from rich.text import Text

    from service.commands import console as consoles
    from service.commands import rendering

    lines = Text("✓ " if item.right else "✗ ", style="bold green" if item.right else "bold red")
    lines.append(f"[{_direction(item)}] {consoles.one_line(item.sample.question)}\n", style="not bold default")
    best = item.best
    if best is None or not item.result.answered:
        lines.append(f"  no answer ({rendering.percent(item.result.no_answer)} sure)\n", style="not bold default")
    if best is not None:
        words = consoles.one_line(best.text)
        guess = f"  {words}" if item.result.answered else f"  nearest candidate: {words}"
        lines.append(guess, style="bold default" if item.result.answered else "not bold default")
        lines.append(f"  {rendering.percent(best.score)}\n", style="not bold default")
        lines.append(f"  {rendering.answer_place(best)}\n", style="not bold cyan")
    if not item.right and item.sample.answers:
        lines.append(f"  expected: {' | '.join(item.sample.answers)}\n", style="not bold default")
    console.print(lines)


def _direction(item: Judged) -> str:
    if not item.sample.answers:
        return f"{item.sample.language}, not in the corpus"
    return f"{item.sample.language} → {item.document_language}"


def _table(tallies: Sequence[Tally]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("questions", box=box.SIMPLE)
    for heading in ("asked", "right", "%", "right words, withheld"):
        table.add_column(heading, justify="right")
    for row in tallies:
        share = f"{100 * row.right / row.asked:.0f}" if row.asked else "-"
        name = "all" if row.kind is None else str(row.kind)
        table.add_row(name, str(row.asked), str(row.right), share, str(row.withheld))
    return table


def _to_dict(judged: Sequence[Judged], tallies: Sequence[Tally], seconds: float) -> dict[str, Any]:
    return {
        "questions": [_judged_to_dict(item) for item in judged],
        "summary": {
            "all" if row.kind is None else str(row.kind): {
                "asked": row.asked,
                "right": row.right,
                "withheld": row.withheld,
            }
            for row in tallies
        },
        "seconds": round(seconds, 3),
    }


def _judged_to_dict(item: Judged) -> dict[str, Any]:
    from service import serializing

    return {
        "id": item.sample.id,
        "kind": str(item.kind),
        "document_language": item.document_language,
        "expected": list(item.sample.answers),
        "expected_document": item.sample.document_id,
        "right": item.right,
        "withheld": item.withheld,
        "result": serializing.answer_result_to_dict(item.result),
    }
