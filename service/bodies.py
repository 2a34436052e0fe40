"""Read request bodies strictly: no more bytes than allowed; JSON in UTF-8, each key once, numbers that JSON knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems


class BodyLimit:
    """Middleware that refuses bodies of more bytes with 413: by their declared length, else as soon as they pass it.

    The framework has such a limit, but answers it in plain text.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        detail = f"the body has more than {self.max_bytes:,} bytes: send less at once"
        if declared.isdecimal() and int(declared[:20]) > self.max_bytes:
            await problems.problem(413, detail, {"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413, detail, {"Connection": "close"})
            return message

        await self.app(scope, receive_limited, send)


class StrictJsonRoute(APIRoute):
    """A route that refuses bodies which are no plain JSON, with 400 or 415, before they are validated."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler behind the check of the body."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            if request.method == "POST":
                check_headers(request)
                return await handle(_StrictRequest(request.scope, request.receive))
            return await handle(request)

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        return parse_json(await self.body())


def check_headers(request: Request) -> None:
    """Raise a 415 HTTPException where the body is not declared as uncompressed JSON in UTF-8."""
    # The standard library's parser of parameters raises on some that nobody means.
    kind, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = {part.partition("=")[2].strip(' "') for part in parameters if part.startswith("charset")}
    if kind != "application/json" or not charsets <= {"utf-8", "utf8"}:
        raise HTTPException(415, "send the body as Content-Type: application/json, in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body without Content-Encoding")


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text; raise a 400 HTTPException for what is none."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise HTTPException(400, f"the body is no JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise HTTPException(400, "the body is nested too deeply") from error
    except ValueError as error:
        raise HTTPException(400, f"the body cannot be read: {str(error)[:200]}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:100]!r} stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
