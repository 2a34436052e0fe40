"""Tell whether a reader has seen the data set that it is measured on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath


def contaminated_sets(files: Iterable[str], trained_on: Iterable[str]) -> list[str]:
    """Return the sets among ``files`` that a reader was trained on, in order of their names.

    A set is its file's name up to a dot (``xquad`` of ``xquad.el.json``), without case. Training on ``xquad-more``
    counts as training on ``xquad``. A file whose name does not begin with that of its set is not recognised.
    """
    seen = {_set_of(name) for name in trained_on}
    return sorted(
        name
        for name in {_set_of(PurePath(file).name) for file in files}
        if name and any(known == name or known.startswith(f"{name}-") for known in seen)
    )


def contamination_warning(reader: str, sets: Iterable[str]) -> str:
    """Say in one line what figures on such sets are worth."""
    names = ", ".join(sets)
    return (
        f"{reader} was trained on {names}: the figures say nothing about unseen texts; "
        "measure on questions that training held out, or on another set"
    )


def _set_of(name: str) -> str:
    return name.partition(".")[0].casefold()
