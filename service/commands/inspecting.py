"""``spanglot show`` and ``spanglot info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import DirectoryArgument, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from corpora.documents import Document
    from indexer import IndexManifest


def show(
    directory: DirectoryArgument,
    document: Annotated[str, typer.Option("--document", metavar="ID", help="The document's id.")],
    json: JsonOption = False,
) -> None:
    """Show a document as it is stored: the text that the offsets of answers count in."""
    from service import opening, serializing
    from service.commands import console

    found = opening.stored_document(directory, document)
    if json:
        console.write_json(serializing.document_to_dict(found))
    else:
        _print_document(console.results(), found)


def info(directory: DirectoryArgument, json: JsonOption = False) -> None:
    """Say what an index holds and what it was built with."""
    from service import opening, serializing
    from service.commands import console

    manifest = opening.manifest(directory)
    if json:
        console.write_json(serializing.manifest_to_dict(manifest))
    else:
        _print_manifest(console.results(), directory, manifest)


def _print_document(console: Console, document: Document) -> None:
    from service.commands import console as consoles
    from service.ranking import source_name

    fields = [document.id, document.title, document.language, source_name(document.source)]
    console.print(consoles.one_line(" · ".join(dict.fromkeys(field for field in fields if field))), style="bold")
    for name, value in document.metadata.items():
        console.print(consoles.one_line(f"{name}: {value}"))
    console.print()
    # Past the console, which turns tabs into spaces: the offsets of answers count in what is shown.
    console.file.write(consoles.printable(document.text) + "\n")


def _print_manifest(console: Console, directory: str, manifest: IndexManifest) -> None:
    from service.commands import console as consoles

    languages = ", ".join(f"{item.language} {item.documents:,}" for item in manifest.languages)
    rows = {
        "index": directory,
        "generation": f"{manifest.generation}, of {manifest.created}",
        "documents": f"{manifest.documents:,} ({languages})" if languages else f"{manifest.documents:,}",
        "passages": f"{manifest.passages:,} of about {manifest.recipe.target_tokens} tokens",
        "embedder": str(manifest.embedder),
    }
    for name, value in rows.items():
        console.print(f"{name:10} {consoles.one_line(value)}")
