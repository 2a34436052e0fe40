"""The HTTP application: what it answers, what it refuses, and that it says so in one form."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from corpora import SpanglotError
from encoder import ModelError
from service import create_app
from service.answering import QuestionAnswerer
from service.serializing import answer_result_to_dict, search_result_to_dict
from service.settings import ServerSettings

ASKED = "When was the canal opened?"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(answerer: QuestionAnswerer) -> Iterator[TestClient]:
    with TestClient(create_app(answerer), raise_server_exceptions=False) as opened:
        yield opened


def without_timings(reply: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in reply.items() if name != "timings"}


def check_problem(reply: object, status: int) -> str:
    """Check that a reply is a problem of that status; return its detail."""
    assert reply.status_code == status  # type: ignore[attr-defined]
    assert reply.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    problem = json.loads(reply.content)  # type: ignore[attr-defined]
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    return str(problem["detail"])


def test_ask_gives_what_the_answerer_gives(client: TestClient, answerer: QuestionAnswerer) -> None:
    reply = client.post("/v1/ask", json={"question": ASKED, "top_k": 2})
    assert reply.status_code == 200
    assert without_timings(reply.json()) == without_timings(answer_result_to_dict(answerer.answer(ASKED, 2)))
    assert set(reply.json()["timings"]) == {"retrieve_ms", "read_ms", "rank_ms", "total_ms"}


def test_ask_gives_three_answers_unless_told(client: TestClient) -> None:
    assert len(client.post("/v1/ask", json={"question": ASKED}).json()["answers"]) == 3


def test_search_gives_what_the_answerer_gives(client: TestClient, answerer: QuestionAnswerer) -> None:
    reply = client.post("/v1/search", json={"question": ASKED, "top_k": 4})
    assert without_timings(reply.json()) == without_timings(search_result_to_dict(answerer.search(ASKED, 4)))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["de-orgel", "en-canal", "en-toll", "th-rice"]),
        ({"language": ["de", "th"]}, ["de-orgel", "th-rice"]),
        ({"source": ["canals.jsonl"]}, ["en-canal", "en-toll"]),
        ({"metadata": {"author": "B. Marlow"}}, ["en-canal"]),
        ({"metadata": {"author": {"at_least": "B", "at_most": "C"}}, "language": ["en"]}, ["en-canal"]),
        ({"metadata": {"author": ["C. Marlow", 7]}}, []),
    ],
)
def test_filters_say_what_may_be_found(client: TestClient, filters: object, expected: list[str]) -> None:
    body = {"question": ASKED, "filters": filters, "top_k": 20}
    found = client.post("/v1/search", json={**body, "mode": "dense"}).json()["passages"]
    assert sorted({passage["document_id"] for passage in found}) == expected
    answers = client.post("/v1/ask", json=body).json()["answers"]
    assert {answer["document_id"] for answer in answers} <= set(expected)


@pytest.mark.parametrize(
    "filters",
    [
        {"language": "de"},
        {"language": ["\ud800"]},
        {"source": [""]},
        {"source": ["x"] * 33},
        {"metadata": {"year": None}},
        {"metadata": {"year": []}},
        {"metadata": {"year": {}}},
        {"metadata": {"year": {"at_least": True}}},
        {"metadata": {"year": {"above": 3}}},
        {"metadata": {"year": 2**63}},
        {"metadata": {"x" * 1001: 1}},
        {"tags": ["x"]},
        [],
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_filters_that_nothing_could_meet_are_refused(client: TestClient, filters: object) -> None:
    body = json.dumps({"question": ASKED, "filters": filters})
    for path in ("/v1/ask", "/v1/search"):
        assert check_problem(client.post(path, content=body, headers=JSON), 422)


def test_a_search_may_go_by_words_alone(client: TestClient) -> None:
    found = client.post("/v1/search", json={"question": "LINDAU?", "mode": "lexical"}).json()["passages"]
    assert [(one["document_id"], one["dense_score"]) for one in found] == [("de-orgel", None)]
    assert found[0]["lexical_score"] == found[0]["score"] > 0
    assert check_problem(client.post("/v1/search", json={"question": "x", "mode": "sparse"}), 422)


def test_read_answers_from_the_context_alone(client: TestClient) -> None:
    context = "🎹 The tower was finished in 1911."
    reply = client.post("/v1/read", json={"question": "When was the tower finished?", "context": context}).json()
    (answer,) = reply["answers"]
    assert context[answer["start"] : answer["end"]] == answer["text"] == "1911"
    assert (reply["index"], answer["retrieval_score"]) == (None, None)
    assert set(reply["timings"]) == {"read_ms", "rank_ms", "total_ms"}


def test_index_describes_what_is_served(client: TestClient) -> None:
    reply = client.get("/v1/index").json()
    assert (reply["name"], reply["documents"], reply["embedder"]) == ("small-index", 4, "character-trigrams")
    assert (reply["reader"], reply["threshold"]) == ("common-words", 0.5)


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_health(client: TestClient, path: str, status: str) -> None:
    assert client.get(path).json() == {"status": status}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": ""}, 422),
        ({"question": " \n"}, 422),
        ({"question": "x" * 2001}, 422),
        ({"question": 7}, 422),
        ({"question": None}, 422),
        ({"question": [ASKED]}, 422),
        ({"question": ASKED, "top_k": 0}, 422),
        ({"question": ASKED, "top_k": -1}, 422),
        ({"question": ASKED, "top_k": 101}, 422),
        ({"question": ASKED, "top_k": 10**9}, 422),
        ({"question": ASKED, "top_k": "3"}, 422),
        ({"question": ASKED, "top_k": 2.5}, 422),
        ({"question": ASKED, "top_k": True}, 422),
        ({"question": ASKED, "topk": 3}, 422),
        ([], 422),
        ("text", 422),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search"])
def test_bad_values_are_named(client: TestClient, path: str, body: object, status: int) -> None:
    assert check_problem(client.post(path, json=body), status)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"null", 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"question": "\xe9"}', 400),
        ('{"question": "a"}'.encode("utf-16"), 400),
        (b'{"question": "\\ud800"}', 422),
        (b'{"question": "a", "\\ud800": 1}', 422),
        (b'{"question": NaN}', 400),
        (b'{"question": "a", "top_k": NaN}', 400),
        (b'{"question": "a", "top_k": Infinity}', 400),
        (b'{"question": "a", "top_k": ' + b"9" * 5000 + b"}", 400),
        (b'{"question": "a", "question": "b"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bad_bodies_are_refused(client: TestClient, body: bytes, status: int) -> None:
    assert check_problem(client.post("/v1/ask", content=body, headers=JSON), status)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ";"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset*=a; charset*0=b"},
        {"Content-Type": f"application/json; charset*{'9' * 5_000}=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=lambda headers: str(headers)[:70],
)
def test_other_kinds_of_body_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    body = json.dumps({"question": ASKED}).encode()
    check_problem(client.post("/v1/ask", content=body, headers=headers), 415)


@pytest.mark.parametrize("parameters", ["; charset=UTF-8", ';charset="utf-8"', "; profile=plain; charset=utf8", ";"])
def test_json_with_its_charset_is_taken(client: TestClient, parameters: str) -> None:
    body = json.dumps({"question": "Wo steht die Orgel? 🎹"}, ensure_ascii=False).encode()
    headers = {"Content-Type": f"application/json{parameters}"}
    assert client.post("/v1/ask", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("question", ["\x00", "\u202eabc", "?!", "a" * 2000, "\U0010ffff", "e" + "\u0301" * 1000])
def test_strange_questions_are_answered(client: TestClient, question: str) -> None:
    reply = client.post("/v1/ask", json={"question": question})
    assert reply.status_code == 200
    assert reply.json()["question"] == question


@pytest.mark.parametrize(
    "body",
    [
        {"question": ASKED},
        {"question": ASKED, "context": ""},
        {"question": ASKED, "context": " \n"},
        {"question": ASKED, "context": "x" * 200_001},
        {"question": ASKED, "context": 5},
        {"question": "", "context": "It opened in 1869."},
        {"question": ASKED, "context": "It opened in 1869.", "top_k": 0},
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_contexts_are_refused(client: TestClient, body: dict[str, object]) -> None:
    assert check_problem(client.post("/v1/read", json=body), 422)


def test_a_surrogate_in_the_context_is_refused(client: TestClient) -> None:
    body = b'{"question": "a", "context": "b \\udfff"}'
    check_problem(client.post("/v1/read", content=body, headers=JSON), 422)


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read(answerer: QuestionAnswerer) -> None:
    body = json.dumps({"question": ASKED}).encode()
    with TestClient(create_app(answerer, ServerSettings(max_body_bytes=len(body)))) as client:
        assert client.post("/v1/ask", content=body, headers=JSON).status_code == 200
        check_problem(client.post("/v1/ask", content=body + b" ", headers=JSON), 413)


def test_the_limit_is_a_mebibyte(client: TestClient) -> None:
    body = json.dumps({"question": ASKED}).encode()
    assert client.post("/v1/ask", content=body.ljust(1 << 20), headers=JSON).status_code == 200
    check_problem(client.post("/v1/ask", content=body.ljust((1 << 20) + 1), headers=JSON), 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/ask", 405),
        ("POST", "/healthz", 405),
        ("GET", "/docs", 404),
        ("GET", "/v1/..%2findex", 404),
    ],
)
def test_unknown_places_are_problems_too(client: TestClient, method: str, path: str, status: int) -> None:
    check_problem(client.request(method, path), status)


class BrokenReader:
    """Fails in the way it is told."""

    name = "broken"

    def __init__(self, other: object, error: Exception) -> None:
        self.calibration = other.calibration  # type: ignore[attr-defined]
        self.error = error

    def read_batch(self, questions: object, passages: object, *, top_k: int = 5) -> list[list[object]]:
        """Raise the error."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (SpanglotError("/srv/secret is damaged"), 503, "the index or the reader cannot be used"),
        (ModelError("/srv/secret is damaged"), 503, "the index or the reader cannot be used"),
        (KeyError("secret"), 500, "unexpected KeyError"),
    ],
)
def test_a_failing_reader_is_a_problem_that_names_no_file(
    answerer: QuestionAnswerer, caplog: pytest.LogCaptureFixture, error: Exception, status: int, told: str
) -> None:
    broken = QuestionAnswerer(answerer.index, BrokenReader(answerer.reader, error))  # type: ignore[arg-type]
    with TestClient(create_app(broken), raise_server_exceptions=False) as client:
        detail = check_problem(client.post("/v1/ask", json={"question": ASKED}), status)
    assert told in detail
    assert "secret" not in detail
    assert ("/srv/secret is damaged" in caplog.text) is (status == 503)


def test_the_description_lists_every_status_that_is_given(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/ask", "/v1/search", "/v1/read"):
        responses = described[path]["post"]["responses"]
        assert set(responses) == {"200", "400", "413", "415", "422", "503"}
        kinds = {status: list(response["content"]) for status, response in responses.items()}
        assert kinds.pop("200") == ["application/json"]
        assert list(kinds.values()) == [["application/problem+json"]] * 5
