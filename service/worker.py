"""Run the model outside the event loop, one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Busy(Exception):
    """More requests wait for the model than are let in."""


class Worker:
    """One thread in which all calls of the model run in the order of their coming."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spanglot-model")

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the call returns; raise Busy at once where too many calls wait already."""
        if self._waiting >= self._max_waiting:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drop what has not begun, and wait for the call that runs."""
        self._thread.shutdown(wait=True, cancel_futures=True)
