"""Read all of an index and say what is wrong; what is derived can be made again from the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexer import auditing, centering, errors, generations, publishing, recipes, retrieving, store, targets
from indexer.generations import Generation
from indexer.manifest import IndexManifest

Progress = Callable[[int, int], None]
# Sums of many vectors round a little differently on another processor.
_ROUNDING = 1e-5
_REPAIR = "run `spanglot verify --repair` to derive it again, nothing is embedded"
_RESTORE = "restore the whole directory from a copy, or index again into a new directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, as a line with the cure; ``repairable`` if it lies in what is derived alone."""

    message: str
    repairable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was found, and whether it has been repaired; ``documents`` and ``passages`` are those that live."""

    documents: int
    passages: int
    problems: tuple[Problem, ...]
    repaired: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong, or nothing any more."""
        return self.repaired or not self.problems


def verify_index(directory: str | Path, *, repair: bool = False, progress: Progress | None = None) -> VerifyReport:
    """Check every row of the index at ``directory``, every derived file, and that both belong together.

    With ``repair`` derived files that are not sound are made again and published, without an embedder; an index with
    any other damage is left as it is. ``progress`` is told how many rows have been read, and of how many. Raise
    IndexNotFound where there is no index, StoreError for a newer format, a disk that cannot be used and, with
    ``repair``, another writer. Beside a writer at work a commit that is about to be published counts as a problem.
    """
    folder = Path(directory)
    if not repair:
        return _verify(folder, progress)
    with targets.writing(folder):
        found = _verify(folder, progress)
        if not found.problems or not all(problem.repairable for problem in found.problems):
            return found
        with store.PassageStore.open_writer(folder) as opened:
            embedder, recipe = recipes.made_with(folder, opened)
            sealed = opened.last_commit(sealed=True)
            publishing.publish(folder, opened, commit=sealed, embedder=embedder, recipe=recipe, anew=True)
        left = _verify(folder, None)
    return replace(found, repaired=True) if left.sound else left


def _verify(directory: Path, progress: Progress | None) -> VerifyReport:
    try:
        opened = store.PassageStore.open_reader(directory)
    except errors.DamagedIndex as error:
        return VerifyReport(documents=0, passages=0, problems=(Problem(message=str(error), repairable=False),))
    with opened:
        # The generation first, then all rows of one state: a writer may publish meanwhile.
        derived = _read_derived(directory)
        opened.query("BEGIN")
        lost = [Problem(message=line, repairable=False) for line in auditing.store_problems(opened, progress)]
        if lost:
            return VerifyReport(documents=0, passages=0, problems=(*lost, *derived.problems))
        counts = opened.counts(opened.last_commit(sealed=True))
        problems = (*derived.problems, *_mismatches(directory, opened, derived))
        return VerifyReport(documents=counts.documents, passages=counts.passages, problems=problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Derived:
    manifest: IndexManifest | None = None
    generation: Generation | None = None
    problems: tuple[Problem, ...] = ()


def _read_derived(directory: Path) -> _Derived:
    try:
        manifest = generations.current_manifest(directory)
    except errors.DamagedIndex as error:
        return _Derived(problems=(Problem(message=str(error), repairable=True),))
    if manifest is None:
        return _Derived()
    problems = tuple(_broken_files(directory, manifest))
    try:
        generation = None if problems else generations.load_generation(directory, manifest)
    except errors.DamagedIndex as error:
        return _Derived(manifest=manifest, problems=(Problem(message=str(error), repairable=True),))
    return _Derived(manifest=manifest, generation=generation, problems=problems)


def _broken_files(directory: Path, manifest: IndexManifest) -> Iterator[Problem]:
    folder = generations.generation_directory(directory, manifest.generation)
    for name in generations.DERIVED_FILES:
        try:
            generations.read_derived(folder, manifest, name)
        except errors.DamagedIndex as error:
            yield Problem(message=str(error), repairable=True)


def _mismatches(directory: Path, opened: store.PassageStore, derived: _Derived) -> Iterator[Problem]:
    """Say where the derived files do not belong to a store that is sound in itself."""
    sealed, manifest = opened.last_commit(sealed=True), derived.manifest
    if manifest is None:
        if not sealed:
            yield Problem(message=str(generations.never_finished(directory)), repairable=False)
        elif not derived.problems:
            pointer = directory / generations.POINTER_FILE
            yield Problem(message=f"{pointer} is missing: {_REPAIR}", repairable=True)
        return
    try:
        retrieving.check_pairing(opened, manifest)
        _require_all_rows(opened, manifest)
    except errors.StoreError as error:
        yield Problem(message=str(error), repairable=False)
        return
    if derived.generation is not None:
        yield from _misderived(opened, derived.generation)
    if sealed > manifest.commit:
        yield Problem(
            message=f"generation {manifest.generation} of {directory} ends at commit {manifest.commit}, and commit "
            f"{sealed} was never published: {_REPAIR}",
            repairable=True,
        )


def _require_all_rows(opened: store.PassageStore, manifest: IndexManifest) -> None:
    counts = opened.counts(manifest.commit)
    if (counts.documents, counts.passages) != (manifest.documents, manifest.passages):
        raise errors.DamagedIndex(
            f"{opened.path} is damaged: generation {manifest.generation} was made of {manifest.documents} documents "
            f"with {manifest.passages} passages, and {counts.documents} with {counts.passages} are there; {_RESTORE}"
        )


def _misderived(opened: store.PassageStore, generation: Generation) -> Iterator[Problem]:
    manifest = generation.manifest
    name = f"generation {manifest.generation} of {opened.path.parent}"
    made = manifest.recipe
    if made != recipes.recipe(made.target_tokens, made.max_tokens, made.overlap_sentences, made.context):
        yield Problem(message=f"{name} was derived in another way than this Spanglot has: {_REPAIR}", repairable=True)
        return
    dimension = manifest.embedder.dimension
    means = centering.language_means(opened.vectors(manifest.commit, dimension))
    keys, wrong = 0, 0
    for block in means.centered(opened.vectors(manifest.commit, dimension)):
        known = generation.vectors.keys[keys : keys + len(block.keys)]
        keys += len(block.keys)
        if not np.array_equal(known, block.keys):
            yield Problem(message=f"{name} holds other passages than the store: {_REPAIR}", repairable=True)
            return
        apart = np.abs(generation.vectors.of(block.keys) - block.vectors).max(axis=1)
        # A value that is no number is never close.
        wrong += int((~(apart <= _ROUNDING)).sum())
    if wrong:
        yield Problem(
            message=f"{name} holds {wrong} vectors that do not come from the store's: {_REPAIR}", repairable=True
        )
