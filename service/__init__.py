"""Retriever and reader joined, and offered as Python, on the command line and over HTTP."""

from service.answering import QuestionAnswerer
from service.answers import Answer, AnswerResult
from service.app import create_app

__all__ = ["Answer", "AnswerResult", "QuestionAnswerer", "create_app"]
