"""The routes of the HTTP application; each turns a body into one call and its result into JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from service import problems, schemas, serializing
from service.bodies import StrictJsonRoute

if TYPE_CHECKING:
    from service.answering import QuestionAnswerer
    from service.worker import Worker


def health_routes() -> APIRouter:
    """Return the routes that say whether the process runs and takes questions."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=schemas.Health)
    async def healthz() -> dict[str, str]:
        """Say that the process runs."""
        return {"status": "ok"}

    @router.get("/readyz", response_model=schemas.Health)
    async def readyz() -> dict[str, str]:
        """Say that questions are taken: the application is made only from an opened index and a loaded reader."""
        return {"status": "ready"}

    return router


def index_routes(answerer: QuestionAnswerer) -> APIRouter:
    """Return the routes that describe what is served."""
    router = APIRouter(prefix="/v1", tags=["index"])

    @router.get("/index", response_model=schemas.IndexReply)
    async def index() -> dict[str, Any]:
        """Describe the index and the reader that are served."""
        described = serializing.index_to_dict(answerer.index.info)
        return {**described, "reader": answerer.reader.name, "threshold": answerer.threshold}

    return router


def model_routes(answerer: QuestionAnswerer, worker: Worker) -> APIRouter:
    """Return the routes that run a model, each call in the worker's thread."""
    router = APIRouter(prefix="/v1", tags=["questions"], route_class=StrictJsonRoute, responses=problems.RESPONSES)

    @router.post("/ask", response_model=schemas.AskReply, response_model_exclude_unset=True)
    async def ask(body: schemas.AskBody) -> dict[str, Any]:
        """Answer a question from the index, with the places of the answers."""
        only = body.filters.passage_filter()
        return serializing.answer_result_to_dict(await worker.run(answerer.answer, body.question, body.top_k, only))

    @router.post("/search", response_model=schemas.SearchReply, response_model_exclude_unset=True)
    async def search(body: schemas.SearchBody) -> dict[str, Any]:
        """Return the passages nearest to a question."""
        only = body.filters.passage_filter()
        found = await worker.run(answerer.search, body.question, body.top_k, body.mode, only)
        return serializing.search_result_to_dict(found)

    @router.post("/read", response_model=schemas.AskReply, response_model_exclude_unset=True)
    async def read(body: schemas.ReadBody) -> dict[str, Any]:
        """Answer a question from the text that comes with it."""
        found = await worker.run(answerer.read, body.question, body.context, body.top_k)
        return serializing.answer_result_to_dict(found)

    return router
