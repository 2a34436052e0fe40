"""``spanglot serve`` as a process: it says where it listens, answers, and stops on a signal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
# The command itself, with the small parts of the tests where a model would be loaded.
PROGRAM = """
import importlib.util, sys
import indexer.embedding, reader
spec = importlib.util.spec_from_file_location("parts", sys.argv[1])
parts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parts)
indexer.embedding.load_embedder = lambda name=None, *, device="auto": parts.NgramEmbedder()
reader.load_reader = lambda path=None, **options: parts.CommonWordReader()
from service.cli import main
# A shell's background jobs are born with SIGINT ignored; someone at a terminal is not.
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["serve", "--index", sys.argv[2], "--port", "0"]))
"""


@pytest.fixture
def server(index_directory: Path) -> Iterator[subprocess.Popen[str]]:
    parts = Path(__file__).with_name("conftest.py")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(parts), str(index_directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_serve_says_where_it_listens_answers_and_stops(server: subprocess.Popen[str]) -> None:
    assert server.stderr is not None
    announced = server.stderr.readline()
    assert announced.startswith("Serving small-index (4 documents, ")
    found = re.search(r"http://127\.0\.0\.1:\d+", announced)
    assert found is not None
    reply = httpx.post(f"{found.group()}/v1/ask", json={"question": "When was the canal opened?"})
    assert reply.json()["answers"][0]["text"] == "1869"
    server.send_signal(signal.SIGINT)
    stdout, stderr = server.communicate(timeout=30)
    assert (stdout, "Traceback" in stderr, server.returncode) == ("", False, 130)
