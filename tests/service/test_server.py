"""The application behind a real server on loopback: what only real connections show."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice

import httpx
import pytest
import uvicorn

from corpora import Passage
from reader.spans import AnswerSpan
from service import create_app
from service.answering import QuestionAnswerer
from service.settings import ServerSettings

ASKED = "When was the canal opened?"


@contextmanager
def serving(answerer: QuestionAnswerer, settings: ServerSettings | None = None) -> Iterator[str]:
    """Serve on a free port of loopback; yield host and port as they stand in an address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(answerer, settings), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        host, port = listening.getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def address(answerer: QuestionAnswerer) -> Iterator[str]:
    with serving(answerer) as opened:
        yield opened


def test_a_question_is_answered(address: str) -> None:
    reply = httpx.post(f"http://{address}/v1/ask", json={"question": ASKED})
    assert reply.status_code == 200
    assert reply.json()["answers"][0]["text"] == "1869"


def test_a_chunked_body_without_a_length_is_cut_at_the_limit(address: str) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1 << 16
            yield b" " * (1 << 16)

    headers = {"Content-Type": "application/json"}
    try:
        reply = httpx.post(f"http://{address}/v1/ask", content=chunks(), headers=headers)
    except (httpx.WriteError, httpx.ReadError):
        # The server answered and closed while the rest was still being sent.
        assert sent < 64 << 20
    else:
        assert reply.status_code == 413
    assert httpx.get(f"http://{address}/healthz").status_code == 200


def exchange(address: str, request: bytes, *, hang_up: bool = False) -> bytes:
    """Send bytes as they are and return all that comes back; ``hang_up`` says that no more will be sent."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def request_with_length(length: str, body: bytes) -> bytes:
    head = f"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def test_a_length_over_the_limit_is_refused_before_the_body_comes(address: str) -> None:
    assert exchange(address, request_with_length(str(100 << 20), b"")).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 400, "abc"])
def test_an_impossible_length_is_refused(address: str, length: str) -> None:
    assert exchange(address, request_with_length(length, b"{}")).split()[1] in {b"400", b"413"}


def test_a_body_shorter_than_its_length_leaves_the_server_well(address: str) -> None:
    reply = exchange(address, request_with_length("500", b'{"question": "a"}'), hang_up=True)
    assert not reply.startswith(b"HTTP/1.1 5")
    assert httpx.post(f"http://{address}/v1/ask", json={"question": ASKED}).status_code == 200


def test_a_body_longer_than_its_length_is_read_to_its_length(address: str) -> None:
    body = json.dumps({"question": ASKED}).encode()
    assert exchange(address, request_with_length(str(len(body)), body + b" " * 9)).startswith(b"HTTP/1.1 200 ")


class WaitingReader:
    """Reads as another reader does, once it is let."""

    name = "waiting"

    def __init__(self, other: object) -> None:
        self.other = other
        self.calibration = other.calibration  # type: ignore[attr-defined]
        self.begun = threading.Event()
        self.let = threading.Event()
        self.running = 0
        self.most_running = 0

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        """Wait, then read."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.begun.set()
        assert self.let.wait(30)
        self.running -= 1
        return self.other.read_batch(questions, passages, top_k=top_k)  # type: ignore[attr-defined,no-any-return]


def test_the_server_answers_for_its_health_while_the_model_works(answerer: QuestionAnswerer) -> None:
    reader = WaitingReader(answerer.reader)
    with serving(QuestionAnswerer(answerer.index, reader)) as address, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.post, f"http://{address}/v1/ask", json={"question": ASKED}, timeout=30)
        assert reader.begun.wait(30)
        assert httpx.get(f"http://{address}/healthz").status_code == 200
        reader.let.set()
        assert asked.result().status_code == 200


def test_more_questions_than_may_wait_are_sent_away_and_one_at_a_time_is_read(answerer: QuestionAnswerer) -> None:
    reader = WaitingReader(answerer.reader)
    settings = ServerSettings(max_waiting=3)
    with serving(QuestionAnswerer(answerer.index, reader), settings) as address, ThreadPoolExecutor(12) as pool:
        asked = [
            pool.submit(httpx.post, f"http://{address}/v1/ask", json={"question": ASKED}, timeout=30) for _ in range(12)
        ]
        assert reader.begun.wait(30)
        refused = list(islice(as_completed(asked, timeout=30), 9))
        reader.let.set()
        statuses = sorted(request.result().status_code for request in asked)
    assert statuses == [200] * 3 + [503] * 9
    assert {request.result().headers["retry-after"] for request in refused} == {"1"}
    assert reader.most_running == 1
