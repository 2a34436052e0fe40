"""Batches by token budget, so that little is spent on padding."""

from __future__ import annotations

from collections.abc import Sequence


def token_budget_batches(
    lengths: Sequence[int], *, budget: int, max_items: int = 512, alike: bool = False
) -> list[list[int]]:
    """Group positions of ``lengths`` into batches whose padded size (longest times count) is at most ``budget``.

    Longest first, so that a batch that is too large for memory fails at once and neighbours are alike in length. Every
    position stands in exactly one batch; an item longer than the budget stands alone. Where ``alike``, the items of a
    batch are all of one length, and none is padded. No lengths give no batches.
    """
    batches: list[list[int]] = []
    widest = 0
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        current = batches[-1] if batches else []
        fits = not alike or widest == lengths[position]
        if current and fits and len(current) < max_items and widest * (len(current) + 1) <= budget:
            current.append(position)
        else:
            batches.append([position])
            widest = lengths[position]
    return batches
