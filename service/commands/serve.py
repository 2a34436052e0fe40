"""``spanglot serve``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.errors import UsageError
from service.commands.options import AllowPickleOption, DeviceOption, IndexOption, ReaderOption

if TYPE_CHECKING:
    from fastapi import FastAPI

    from service.answering import QuestionAnswerer

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000


def serve(
    index: IndexOption,
    host: Annotated[
        str,
        typer.Option(
            "--host", help="Address to listen on; others than this machine's loopback let everyone in who can reach it."
        ),
    ] = LOOPBACK,
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    device: DeviceOption = "auto",
    reader: ReaderOption = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Answer questions over HTTP: POST /v1/ask, /v1/search and /v1/read."""
    from service.answering import QuestionAnswerer
    from service.app import create_app
    from service.commands import quiet

    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} is not possible: give one from 0 to 65535")
    # The address is taken first: to learn that it is in use should not cost the loading of the models.
    with _listen(host, port) as listening:
        quiet.quiet_libraries()
        with QuestionAnswerer.open(index, reader=reader, device=device, allow_pickle=allow_pickle) as answerer:
            # The first question loads and compiles what later ones find ready.
            answerer.answer("Ready?")
            _announce(answerer, listening)
            _run(create_app(answerer), listening)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"--host {host!r} is no address of this machine: {error}") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    return listening


def _announce(answerer: QuestionAnswerer, listening: socket.socket) -> None:
    from service.commands import console

    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    info = answerer.index.info
    console.notices().print(
        f"Serving {info.name} ({info.documents:,} documents, {info.passages:,} passages, reader "
        f"{answerer.reader.name}) at http://{shown}:{port}; stop with Ctrl-C"
    )


def _run(app: FastAPI, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=5, limit_concurrency=1_000
    )
    uvicorn.Server(config).run(sockets=[listening])
