"""What HTTP asks of every route: methods, slashes, headers, content types, and errors that all look alike."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from schemas.vocabulary import Role
from service.app import make_routes
from service.db.models import ApiKey
from service.db.session import Sessions, make_engine, make_sessions
from tests.integration.api.conftest import Caller, NewCaller

EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}

#: Every route with each of its methods but HEAD and OPTIONS, and what it answers to a writer who sends no body.
ROUTES = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/v1/tasks", 200),
    ("POST", "/v1/tasks", 400),
    ("GET", "/v1/tasks/result", 400),
    ("GET", "/v1/tasks/events", 501),
    ("GET", "/v1/tasks/scheduled", 501),
    ("POST", "/v1/tasks/scheduled", 501),
    ("GET", "/v1/tasks/scheduled/schtask_x", 501),
    ("PUT", "/v1/tasks/scheduled/schtask_x", 501),
    ("DELETE", "/v1/tasks/scheduled/schtask_x", 501),
    ("POST", "/v1/tasks/scheduled/schtask_x/run", 501),
    ("GET", "/v1/tasks/task_x", 404),
    ("GET", "/v1/tasks/task_x/download", 404),
    ("PUT", "/v1/tasks/task_x/status", 400),
    ("POST", "/v1/uploads", 400),
    ("GET", "/v1/connections", 200),
    ("POST", "/v1/connections", 400),
    ("POST", "/v1/connections/search", 200),
    ("GET", "/v1/connections/conn_none", 404),
    ("PUT", "/v1/connections/conn_none", 404),
    ("DELETE", "/v1/connections/conn_none", 404),
]
METHODS = {path: {method for method, other, _ in ROUTES if other == path} for _, path, _ in ROUTES}


@pytest.fixture(scope="module")
def routes() -> Flask:
    """The app with nothing behind it, for what is answered before anything is asked."""
    return make_routes()


def error(status: int, code: str, message: str, **details: Any) -> dict[str, Any]:
    """The whole body of an error: the keys of both generations of clients."""
    return {
        "code": code,
        "message": message,
        "http_status_code": status,
        "details": details,
        "success": False,
        "error": {"message": message, "internal_error": code.replace("_", " "), "details": details},
    }


def send(app: Flask, method: str, path: str, **headers: str) -> TestResponse:
    """Send a request without a key or a body."""
    return app.test_client().open(path, method=method, headers=headers)


def test_a_trailing_slash_changes_nothing(caller: Caller) -> None:
    for method, path, status in ROUTES:
        plain = caller.call(method, path, data=b"")
        slashed = caller.call(method, path.rstrip("/") + "/", data=b"")
        assert (plain.status_code, slashed.status_code) == (status, status), path
        assert plain.get_json() == slashed.get_json()
        assert plain.content_type == slashed.content_type == "application/json"


def test_a_body_sent_to_a_trailing_slash_arrives(caller: Caller) -> None:
    assert caller.call("POST", "/v1/tasks/", EXPORT).status_code == 202


def test_head_answers_as_get_without_a_body(caller: Caller) -> None:
    for path, status in [(path, status) for method, path, status in ROUTES if method == "GET"]:
        got, head = caller.call("GET", path), caller.call("HEAD", path)
        assert (head.status_code, head.data) == (status, b""), path
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("path", METHODS)
def test_preflight_is_answered_to_any_page_without_a_key(routes: Flask, path: str) -> None:
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
    for url in {path, path.rstrip("/") + "/"}:
        answer = send(routes, "OPTIONS", url, **asked)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        allowed = METHODS[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in METHODS[path] else set())
        assert set(answer.headers["Allow"].split(", ")) == allowed
        assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == allowed
        headers = answer.headers["Access-Control-Allow-Headers"].lower()
        assert {"x-api-key", "authorization", "content-type", "idempotency-key"} <= set(headers.split(", "))
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_any_page_may_read_answers_and_errors(caller: Caller) -> None:
    for answer in [
        caller.call("GET", "/v1/tasks"),
        caller.call("GET", "/v1/nothing"),
        send(caller.app, "GET", "/v1/tasks", Origin="https://app.example.com"),
    ]:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        shown = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"Location", "Retry-After", "X-Request-ID", "RateLimit-Remaining"} <= shown


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/", "/v2/tasks", "/v1/tasks/a/b", "/v1/uploads/upload_x", "/v1//tasks"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_route_is_told_as_any_error(routes: Flask, method: str, path: str) -> None:
    answer = send(routes, method, path)
    told = error(404, "not_found", f"There is no route {path}; /openapi.json names them all")
    assert (answer.status_code, answer.get_json()) == (404, told)


@pytest.mark.parametrize("path", METHODS)
def test_a_wrong_method_is_told_with_the_right_ones(routes: Flask, path: str) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - METHODS[path]:
        answer = send(routes, method, path)
        allowed = ", ".join(sorted(METHODS[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in METHODS[path] else set())))
        told = error(405, "method_not_allowed", f"{path} takes no {method}; use {allowed}")
        assert (answer.status_code, answer.get_json()) == (405, told)
        assert set(answer.headers["Allow"].split(", ")) == set(allowed.split(", "))


def test_words_are_not_taken_for_ids_of_tasks(caller: Caller) -> None:
    for method, path, status in [
        ("GET", "/v1/tasks/result", 400),
        ("GET", "/v1/tasks/result/", 400),
        ("GET", "/v1/tasks/result?workflow_id=wf_x", 404),
        ("GET", "/v1/tasks/events", 501),
        ("GET", "/v1/tasks/events/", 501),
        ("GET", "/v1/tasks/scheduled", 501),
        ("GET", "/v1/tasks/scheduled/", 501),
        ("GET", "/v1/tasks/scheduled/download", 501),
        ("PUT", "/v1/tasks/scheduled/status", 501),
        ("POST", "/v1/tasks/scheduled/x/run", 501),
    ]:
        answer = caller.call(method, path, {"task_status": "FAILED"} if method == "PUT" else None)
        assert answer.status_code == status, path
        assert "task_id" not in answer.get_json()["details"]


def test_a_body_is_read_as_json_whatever_its_content_type_says(caller: Caller) -> None:
    body = '{"task_type": "EXPORT", "entity_type": "EVENTS", "file_type": "CSV", "file_name": "é"}'.encode()
    key = {"x-api-key": caller.key}
    for told in (None, "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "x"):
        headers = key if told is None else {**key, "Content-Type": told}
        answer = caller.app.test_client().post("/v1/tasks", data=body, headers=headers)
        assert (answer.status_code, answer.get_json()["file_name"]) == (202, "é"), told


def test_answers_are_json_whatever_is_asked_for(caller: Caller) -> None:
    for accept in ("application/json", "*/*", "text/html", "application/xml", "x"):
        caller.headers["Accept"] = accept
        for path, status in [("/v1/tasks", 200), ("/v1/tasks/task_x", 404), ("/v1/nothing", 404)]:
            answer = caller.call("GET", path)
            assert (answer.status_code, answer.content_type) == (status, "application/json")


def test_the_id_of_a_request_comes_back(caller: Caller) -> None:
    for given in ("a", "import-7", "~" * 128):
        caller.headers["X-Request-ID"] = given
        for path in ("/v1/tasks", "/v1/tasks/task_x", "/v1/nothing", "/healthz"):
            assert caller.call("GET", path).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "two words", "x" * 129, "\xe9", "tab\tbed"])
def test_an_id_that_is_none_is_replaced(routes: Flask, given: str) -> None:
    first, second = (send(routes, "GET", "/healthz", **{"X-Request-ID": given}) for _ in range(2))
    assert (len(first.headers["X-Request-ID"]), len(second.headers["X-Request-ID"])) == (26, 26)
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_a_wrong_filter_is_told(caller: Caller) -> None:
    answer = caller.call("GET", "/v1/tasks?limit=many")
    told = error(400, "validation_error", "Invalid filter parameters", limit=["Not a valid integer."])
    assert (answer.status_code, answer.get_json()) == (400, told)


def test_a_time_that_is_not_rfc_3339_is_told(caller: Caller) -> None:
    for moment in (
        "", "yesterday", "2026-03-02", "2026-03-02T09:14:06", "2026-03-02 09:14:06Z", "20260302T091406Z",
        "2026-W10-1T00:00Z", "2026-03-02T09:14Z", "2026-02-30T00:00:00Z", "2026-03-02T24:00:01Z",
        "2026-03-02T09:14:06+0100", "1772442846",
    ):  # fmt: skip
        for name in ("start_time", "end_time"):
            answer = caller.call("GET", "/v1/tasks", query_string={name: moment})
            told = error(400, "validation_error", "Invalid filter parameters", **{name: ["Not a valid datetime."]})
            assert (answer.status_code, answer.get_json()) == (400, told), moment


def test_times_of_rfc_3339_are_taken(caller: Caller) -> None:
    for moment in (
        "2026-03-02T09:14:06Z", "2026-03-02T09:14:06.123456789Z", "2026-03-02T09:14:06.5-11:30",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00",
    ):  # fmt: skip
        for name in ("start_time", "end_time"):
            assert caller.call("GET", "/v1/tasks", query_string={name: moment}).status_code == 200, moment


def test_an_unknown_task_is_told(caller: Caller) -> None:
    answer = caller.call("GET", "/v1/tasks/task_x")
    assert (answer.status_code, answer.get_json()) == (
        404, error(404, "not_found", "Task not found", task_id="task_x"),
    )  # fmt: skip


def test_a_key_used_for_another_body_is_told(caller: Caller) -> None:
    caller.headers["Idempotency-Key"] = "once"
    caller.call("POST", "/v1/tasks", EXPORT)
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, "file_name": "other"})
    message = "This Idempotency-Key was used for another request; send a new key with a new body"
    assert (answer.status_code, answer.get_json()) == (
        409,
        error(409, "idempotency_key_reused", message, idempotency_key="once"),
    )


def test_a_body_that_is_too_long_is_told(caller: Caller) -> None:
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, "file_name": "x" * 2**20})
    message = "The body is longer than the 1048576 bytes that this API key may send"
    assert (answer.status_code, answer.get_json()) == (413, error(413, "too_large", message))


def test_too_many_requests_are_told(caller: Caller, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(requests_per_minute=1))
    caller.call("GET", "/v1/tasks")
    answer = caller.call("GET", "/v1/tasks")
    message = "Too many requests with this API key; wait as long as Retry-After says"
    told = error(429, "too_many_requests", message, limit=1, window_seconds=60, retry_after_seconds=60)
    assert (answer.status_code, answer.get_json(), answer.headers["Retry-After"]) == (429, told, "60")


def test_what_is_not_built_is_told(caller: Caller) -> None:
    answer = caller.call("GET", "/v1/tasks/events")
    told = error(501, "not_implemented", "Live events are not implemented yet; poll GET /v1/tasks/{id}")
    assert (answer.status_code, answer.get_json()) == (501, told)


def test_a_database_that_is_away_is_told(caller: Caller) -> None:
    here = caller.app.extensions["wharf"]
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nothing", "tests")
    caller.app.extensions["wharf"] = replace(here, sessions=make_sessions(engine))
    answer = caller.call("GET", "/v1/tasks")
    told = error(503, "service_unavailable", "The database does not answer; try again")
    assert (answer.status_code, answer.get_json(), answer.headers["Retry-After"]) == (503, told, "5")


def test_a_fault_of_ours_tells_nothing_of_itself(caller: Caller) -> None:
    here = caller.app.extensions["wharf"]
    caller.app.extensions["wharf"] = replace(here, rate_limiter=None)
    answer = caller.call("GET", "/v1/tasks")
    assert (answer.status_code, answer.get_json()) == (
        500, error(500, "internal_error", "An unexpected error occurred"),
    )  # fmt: skip


def test_who_is_turned_away_gets_the_shorter_body(caller: Caller, new_caller: NewCaller) -> None:
    unknown = send(caller.app, "GET", "/v1/tasks")
    assert (unknown.status_code, unknown.get_json()) == (401, {"error": "Unauthorized", "message": "Unauthorized"})
    reader = new_caller(role=Role.READER).call("POST", "/v1/tasks", EXPORT)
    told = {"error": "Access denied", "message": "insufficient permissions"}
    assert (reader.status_code, reader.get_json()) == (403, told)
