"""``spanglot delete``, ``spanglot verify`` and ``spanglot compact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.commands.options import DirectoryArgument, JsonOption

if TYPE_CHECKING:
    from indexer import CompactReport, DeleteReport, VerifyReport

DAMAGED = 1


def delete(
    directory: DirectoryArgument,
    document: Annotated[
        list[str] | None, typer.Option("--document", metavar="ID", help="A document's id; may be given several times.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="PATH", help='The documents of a file, of all files in a folder, or of "-".'),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="CODE", help='The documents in a language; "und" where it is not known.'),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Delete documents from an index; of several kinds of options a document must fit one of each."""
    from indexer import delete_documents
    from service.commands import console, quiet

    quiet.quiet_libraries()
    done = delete_documents(directory, ids=document or (), sources=source or (), languages=language or ())
    if json:
        console.write_json(_deleted(directory, done))
    else:
        console.results().print(
            f"{console.one_line(directory)}: {done.deleted:,} documents deleted; {done.documents:,} documents with "
            f"{done.passages:,} passages are left"
        )


def verify(
    directory: DirectoryArgument,
    repair: Annotated[
        bool, typer.Option("--repair", help="Derive damaged files again; damaged rows are left as they are.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Read all of an index and say what is damaged, and what to do about it."""
    from service.commands import console, quiet

    quiet.quiet_libraries()
    found = _verify(directory, repair)
    if json:
        console.write_json(_verified(directory, found))
    else:
        _print_verified(directory, found)
    if not found.sound:
        raise typer.Exit(DAMAGED)


def compact(directory: DirectoryArgument, json: JsonOption = False) -> None:
    """Remove what was deleted or replaced from the files of an index."""
    from indexer import compact_index
    from service.commands import console, quiet

    quiet.quiet_libraries()
    done = compact_index(directory)
    if json:
        console.write_json(_compacted(directory, done))
    else:
        console.results().print(
            f"{console.one_line(directory)}: {done.documents:,} documents with {done.passages:,} passages removed; "
            f"{done.freed_bytes:,} bytes freed, {done.bytes:,} are left"
        )


def _verify(directory: str, repair: bool) -> VerifyReport:
    from rich.progress import Progress

    from indexer import verify_index
    from service.commands import console

    notices = console.notices()
    with Progress(console=notices, transient=True, disable=not notices.is_terminal) as bar:
        task = bar.add_task("verifying", total=None)

        def show(read: int, total: int) -> None:
            bar.update(task, completed=read, total=total)

        return verify_index(directory, repair=repair, progress=show)


def _print_verified(directory: str, found: VerifyReport) -> None:
    from service.commands import console

    results = console.results()
    for problem in found.problems:
        results.print(console.one_line(problem.message))
    name = console.one_line(directory)
    if found.repaired:
        results.print(f"{name}: repaired; {found.documents:,} documents, {found.passages:,} passages")
    elif found.problems:
        results.print(f"{name}: damaged; problems: {len(found.problems):,}")
    else:
        results.print(f"{name}: sound; {found.documents:,} documents, {found.passages:,} passages")


def _deleted(directory: str, done: DeleteReport) -> dict[str, Any]:
    return {
        "index": directory,
        "generation": done.generation,
        "deleted": done.deleted,
        "documents": done.documents,
        "passages": done.passages,
    }


def _verified(directory: str, found: VerifyReport) -> dict[str, Any]:
    return {
        "index": directory,
        "sound": found.sound,
        "repaired": found.repaired,
        "documents": found.documents,
        "passages": found.passages,
        "problems": [{"message": problem.message, "repairable": problem.repairable} for problem in found.problems],
    }


def _compacted(directory: str, done: CompactReport) -> dict[str, Any]:
    return {
        "index": directory,
        "removed": {"documents": done.documents, "passages": done.passages},
        "freed_bytes": done.freed_bytes,
        "bytes": done.bytes,
    }
