"""Holds for every test: nothing leaves the machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

LOCAL_NAMES = {"", "localhost", "::1"}
ATTEMPTS: list[str] = []


def remote_host(event: str, arguments: tuple[object, ...]) -> str | None:
    """Return the host of another machine that an audit event looks up or connects to, if any."""
    host: object = None
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path or bytes: a socket of this machine
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    if host is None:
        return None
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return None if name in LOCAL_NAMES or name.startswith("127.") else name


def refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    host = remote_host(event, arguments) if event.startswith("socket.") else None
    if host is not None:
        ATTEMPTS.append(host)
        raise ConnectionRefusedError(f"a test tried to reach {host}")


def pytest_configure() -> None:
    sys.addaudithook(refuse_other_machines)


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> Iterator[None]:
    """Fail a test that tried to reach another machine, even where a library swallowed the refusal."""
    ATTEMPTS.clear()
    yield
    tried, ATTEMPTS[:] = list(ATTEMPTS), []
    assert tried == []
