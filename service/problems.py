"""Errors over HTTP: every one is ``application/problem+json`` with type, title, status and detail."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from corpora.errors import SpanglotError, UsageError
from service.schemas import Problem
from service.worker import Busy

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
MAX_LISTED_ERRORS = 5
RETRY_AFTER_SECONDS = "1"
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, description in {
        400: "The body is no JSON",
        413: "The body is over the limit",
        415: "The body is not declared as JSON in UTF-8",
        422: "The request cannot be served as it was put",
        503: "The server is busy, or its index or reader cannot be used",
    }.items()
}

logger = logging.getLogger(__name__)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error response; the detail may hold any text, lone surrogates included."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    # ASCII escapes, since what a client sent may hold characters that UTF-8 cannot carry.
    return Response(json.dumps(body), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem, those of the framework included."""
    from encoder.errors import ModelError

    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(UsageError, _usage_error)
    app.add_exception_handler(SpanglotError, _unusable)
    app.add_exception_handler(ModelError, _unusable)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(Exception, _unexpected)


async def _invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = error.errors()
    shown = [_describe(item) for item in errors[:MAX_LISTED_ERRORS]]
    if len(errors) > MAX_LISTED_ERRORS:
        shown.append(f"and {len(errors) - MAX_LISTED_ERRORS} more")
    return problem(422, "; ".join(shown))


def _describe(error: Any) -> str:
    # The offending input is left out: it may be large, and it may be unencodable.
    place = ".".join(str(part)[:100] for part in error["loc"] if part != "body")
    message = str(error["msg"])[:300]
    return f"{place}: {message}" if place else message


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = None if error.headers is None else dict(error.headers)
    return problem(error.status_code, str(error.detail), headers)


async def _usage_error(_: Request, error: Exception) -> Response:
    return problem(422, str(error))


async def _busy(_: Request, __: Exception) -> Response:
    detail = "too many questions are waiting: ask again in a moment"
    return problem(503, detail, {"Retry-After": RETRY_AFTER_SECONDS})


async def _unusable(_: Request, error: Exception) -> Response:
    # What is wrong is for the server's owner: it names files of the server.
    logger.error("%s", error)
    return problem(503, "the index or the reader cannot be used; the server's log has more")


async def _unexpected(_: Request, error: Exception) -> Response:
    return problem(500, f"an unexpected {type(error).__name__}; the server's log has more")
