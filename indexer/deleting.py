"""Documents out of an index, by id, source or language; what stays is published without an embedder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import UsageError
from corpora.sources import lies_in
from indexer import errors, generations, publishing, recipes, rows, store, targets, writing
from indexer.schema import FOREVER

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteReport:
    """What a deletion did; ``documents`` and ``passages`` are what the new generation still holds."""

    deleted: int
    documents: int
    passages: int
    generation: int


def delete_documents(
    directory: str | Path,
    *,
    ids: Iterable[str] = (),
    sources: Iterable[str | Path] = (),
    languages: Iterable[str] = (),
) -> DeleteReport:
    """Delete from the index at ``directory`` the documents that fit, and publish a new generation; nothing is embedded.

    A document fits if it has one of the ids, lies in one of the sources (a file, or a folder with all below it) and is
    in one of the languages (the very code that the index has, "und" where none is known); what is left empty is not
    asked of it. All documents may go. What a build that was interrupted had stored is dropped. A deletion that was
    interrupted is finished by the same call. Raise DocumentNotFound, with nothing deleted, for a value that no document
    fits, UsageError where no value is given, and StoreError (no index, another writer, a full or read-only disk) or
    DamagedIndex.
    """
    folder = Path(directory)
    wanted = {
        "id": list(dict.fromkeys(ids)),
        "source": list(dict.fromkeys(map(str, sources))),
        "language": list(dict.fromkeys(languages)),
    }
    if not any(wanted.values()):
        raise UsageError("nothing to delete is named: give document ids, sources or languages")
    with targets.existing_index(folder) as opened:
        # Asked before anything is changed.
        embedder, recipe = recipes.made_with(folder, opened)
        writer = writing.StoreWriter(opened)
        fitting: list[_Fitting] = []

        def ending() -> Iterator[int]:
            fitting.extend(_fitting(folder, opened, wanted, _published(folder, writer.sealed)))
            return (document.key for document in fitting if document.died == FOREVER)

        commit = writer.seal(ending)
        manifest = publishing.publish(folder, opened, commit=commit, embedder=embedder, recipe=recipe)
    return DeleteReport(
        deleted=len({document.id for document in fitting}),
        documents=manifest.documents,
        passages=manifest.passages,
        generation=manifest.generation,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    key: int
    died: int
    id: str
    source: str
    language: str


def _published(directory: Path, sealed: int) -> int:
    """Return the commit that readers see, so that a deletion that was sealed but not published can be finished."""
    try:
        manifest = generations.current_manifest(directory)
    except errors.DamagedIndex:
        manifest = None
    return sealed if manifest is None else manifest.commit


def _fitting(
    directory: Path, opened: store.PassageStore, wanted: Mapping[str, Sequence[str]], published: int
) -> list[_Fitting]:
    # One parameter however many ids: SQLite takes a list as JSON.
    among = "AND id IN (SELECT value FROM json_each(?))" if wanted["id"] else ""
    found = opened.query(
        "SELECT key, died, id, source, coalesce(language, ?) FROM documents "
        f"WHERE (died = ? OR (born <= ? AND died > ?)) {among}",
        (store.UNKNOWN_LANGUAGE, FOREVER, published, published, *([json.dumps(wanted["id"])] if among else [])),
    )
    names = {name for name in {str(row[3]) for row in found} if _in_any(name, wanted["source"])}
    fitting = [
        _Fitting(key=rows.integer(key), died=rows.integer(died), id=str(name), source=str(source), language=str(code))
        for key, died, name, source, code in found
        if source in names and (not wanted["language"] or code in wanted["language"])
    ]
    _require_all(directory, wanted, fitting)
    return fitting


def _in_any(source: str, given: Sequence[str]) -> bool:
    return not given or any(lies_in(source, one) for one in given)


def _require_all(directory: Path, wanted: Mapping[str, Sequence[str]], fitting: Sequence[_Fitting]) -> None:
    ids, languages = {document.id for document in fitting}, {document.language for document in fitting}
    sources = {document.source for document in fitting}
    missing = {
        "id": [name for name in wanted["id"] if name not in ids],
        "source": [given for given in wanted["source"] if not any(lies_in(source, given) for source in sources)],
        "language": [code for code in wanted["language"] if code not in languages],
    }
    for what, values in missing.items():
        if values:
            shown = ", ".join(map(repr, values[:_SHOWN])) + (" and others" if len(values) > _SHOWN else "")
            besides = " that fits the rest of what was named" if sum(map(bool, wanted.values())) > 1 else ""
            raise errors.DocumentNotFound(
                f"nothing was deleted: the index {directory.name!r} holds no document of {what} {shown}{besides}; "
                "`spanglot search` and `spanglot info` show what it holds"
            )
