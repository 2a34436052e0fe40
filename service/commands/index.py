"""``spanglot index``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.commands.options import DeviceOption, JsonOption

if TYPE_CHECKING:
    from corpora import ReadReport
    from indexer import IndexReport

PARTLY_REJECTED = 3
_SHOWN_ERRORS = 20


def index(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help='Files or folders (JSONL, SQuAD JSON, text, Markdown, HTML), or "-".'),
    ],
    into: Annotated[str, typer.Option("--into", metavar="DIR", help="The index directory; made where it is missing.")],
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            metavar="NAME_OR_PATH",
            help="A sentence-transformers model; where left out, the one the index has, or Spanglot's own.",
        ),
    ] = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Remove the documents of these sources that are no longer in them.")
    ] = False,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Add documents to an index, replacing by id those that changed; only what changed is embedded."""
    from corpora import ReadReport
    from service import opening
    from service.commands import building, console, quiet

    _check_sources(sources)
    quiet.quiet_libraries()
    reading = ReadReport()
    try:
        loaded = opening.embedder_for(into, embedder, device=device)
        remove = (lambda source: _is_gone(source, sources, reading)) if sync else None
        done = building.build(sources, into, loaded, reading, remove)
    finally:
        # Also where the build failed: rejected rows may be the reason.
        _print_rejected(reading)
    if json:
        console.write_json(_to_dict(into, done, reading))
    else:
        console.results().print(_summary(into, done))
    if reading.rejected:
        raise typer.Exit(PARTLY_REJECTED)


def _check_sources(sources: list[str]) -> None:
    from corpora import UsageError

    for source in sources:
        if source != "-" and not os.path.exists(source):
            raise UsageError(f"{source}: no such file or folder; check the path")


def _is_gone(source: str, sources: list[str], reading: ReadReport) -> bool:
    """Say whether a document of this source that was not read is no longer there, rather than not readable now."""
    from corpora.sources import lies_in, printable
    from corpora.standard_input import STANDARD_INPUT

    shown = STANDARD_INPUT.shown if source == STANDARD_INPUT.source else printable(source)
    if reading.rejected > len(reading.errors):
        # Not all places of rejected rows are known.
        return False
    if any(lies_in(shown, error.source) for error in reading.errors):
        return False
    return any(lies_in(source, given) for given in sources)


def _summary(directory: str, done: IndexReport) -> str:
    from service.commands import console

    return (
        f"{console.one_line(directory)}: {done.added:,} documents added, {done.replaced:,} replaced, "
        f"{done.unchanged:,} unchanged, {done.removed:,} removed; {done.passages:,} passages, {done.embedded:,} of "
        f"them embedded now, in {done.seconds:.1f} s"
    )


def _print_rejected(reading: ReadReport) -> None:
    from service.commands import console

    if not reading.rejected:
        return
    notices = console.notices()
    notices.print(f"{reading.rejected:,} rows or files could not be used:")
    for error in reading.errors[:_SHOWN_ERRORS]:
        notices.print(f"  {console.one_line(str(error))}")
    if reading.rejected > _SHOWN_ERRORS:
        notices.print(f"  and {reading.rejected - _SHOWN_ERRORS:,} more")


def _to_dict(directory: str, done: IndexReport, reading: ReadReport) -> dict[str, Any]:
    return {
        "index": directory,
        "generation": done.generation,
        "documents": {
            "added": done.added,
            "replaced": done.replaced,
            "unchanged": done.unchanged,
            "removed": done.removed,
        },
        "passages": done.passages,
        "embedded": done.embedded,
        "rejected": reading.rejected,
        "errors": [
            {"source": error.source, "line": error.line, "reason": error.reason}
            for error in reading.errors[:_SHOWN_ERRORS]
        ],
        "seconds": round(done.seconds, 3),
    }
