"""The numbers that the service works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DEFAULT_TOP_K = 3
DEFAULT_SEARCH_TOP_K = 10
MAX_TOP_K = 100
MAX_QUESTION_LENGTH = 2_000
MAX_CONTEXT_LENGTH = 200_000
MAX_FILTER_VALUES, MAX_FILTER_LENGTH = 32, 1_000
SearchMode = Literal["hybrid", "dense", "lexical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How many passages are retrieved, how many of them are read, and when a question counts as answered.

    The ``read_first`` best passages of a question are read first, and the others up to ``read_passages`` only if no
    answer reaches the probability ``sure``. ``threshold`` is used only where the reader's calibration brings none.
    """

    retrieved_passages: int = 20
    read_passages: int = 10
    read_first: int = 4
    sure: float = 0.8
    spans_per_passage: int = 5
    threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What the HTTP server accepts: bytes of one body, and requests that may wait for the model at once."""

    max_body_bytes: int = 1 << 20
    max_waiting: int = 64
