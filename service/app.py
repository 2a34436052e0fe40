"""The HTTP application, built from an answerer that is given to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from service.settings import ServerSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from service.answering import QuestionAnswerer


def create_app(answerer: QuestionAnswerer, settings: ServerSettings | None = None) -> FastAPI:
    """Return the application that answers from ``answerer``'s index; no model is loaded here.

    Calls of the model run one after another in a thread of their own, so that the event loop stays free.
    """
    from fastapi import FastAPI

    from service import problems, routes
    from service.bodies import BodyLimit
    from service.worker import Worker

    limits = ServerSettings() if settings is None else settings
    worker = Worker(limits.max_waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        worker.close()

    app = FastAPI(
        title="Spanglot",
        summary="Questions in any language, answered with the exact words of your own documents.",
        # The usual pages would load their scripts from another host.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, max_bytes=limits.max_body_bytes)
    problems.install(app)
    app.include_router(routes.health_routes())
    app.include_router(routes.index_routes(answerer))
    app.include_router(routes.model_routes(answerer, worker))
    return app
