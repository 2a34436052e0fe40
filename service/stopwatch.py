"""Time the stages of a request."""

from __future__ import annotations

import time


class Stopwatch:
    """Count milliseconds from its making; with ``shared_by=n`` every figure is one n-th of what passed."""

    def __init__(self, shared_by: int = 1) -> None:
        self._share = 1000.0 / shared_by
        self._started = self._last = time.perf_counter()

    def lap(self) -> float:
        """Return what passed since the last lap, or since the start."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed * self._share

    def total(self) -> float:
        """Return what passed since the start."""
        return (time.perf_counter() - self._started) * self._share
