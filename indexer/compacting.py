"""Room given back: what no reader of the current generation can see is removed for good."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from indexer import generations, publishing, retrieving, targets, writing
from indexer.faults import storage_faults


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport:
    """What a compaction removed: rows of documents and passages, and bytes of the whole directory."""

    documents: int
    passages: int
    freed_bytes: int
    bytes: int


def compact_index(directory: str | Path) -> CompactReport:
    """Remove the rows and files that the current generation does not need, and rewrite the database without the gaps.

    The current generation stays as it is, and so does what an interrupted build has stored. Rows go in one transaction,
    after their checksums were held against them. A reader that opened an older generation keeps its right answers where
    it finds all rows, and gets a StoreError where one is gone. Nothing to remove is no error. Raise StoreError (no
    index, another writer, no room for a second database beside the first) or DamagedIndex.
    """
    folder = Path(directory)
    with targets.existing_index(folder) as opened:
        manifest = generations.current_manifest(folder)
        if manifest is None:
            raise generations.never_finished(folder)
        retrieving.check_pairing(opened, manifest)
        before = _size(folder)
        removed = writing.StoreWriter(opened).remove_dead(manifest.commit)
        publishing.remove_others(folder, keep=(manifest.generation,))
        opened.query("VACUUM")
        writing.checkpoint(opened)
        after = _size(folder)
    return CompactReport(
        documents=removed.documents, passages=removed.passages, freed_bytes=max(0, before - after), bytes=after
    )


def _size(directory: Path) -> int:
    with storage_faults(directory):
        return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
