"""What each request carries along, and what it gets when there is no place for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from service.api.context import Context
from service.app import build_app
from service.db.session import Sessions, engine_url, make_sessions
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher
from tests.fakes.rate_limit import CountingRateLimiter
from tests.integration.api.conftest import Caller

BIG = {"n": 2**70, "b": 1, "a": 2}


@pytest.fixture
def one_connection(database_url: str) -> Iterator[Sessions]:
    """Sessions with a single place, for which nobody waits long."""
    engine = create_engine(engine_url(database_url), pool_size=1, max_overflow=0, pool_timeout=0.1)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture
def crowded(bench: Workbench, one_connection: Sessions) -> Iterator[Flask]:
    """The app while all places are taken."""
    app = build_app(Context(bench.settings, one_connection, bench.store, bench.dispatcher, CountingRateLimiter()))
    with one_connection() as session:
        session.execute(text("SELECT 1"))
        yield app


def test_who_finds_no_connection_is_told_to_try_again(caller: Caller, crowded: Flask) -> None:
    answer = replace(caller, app=crowded).call("GET", "/v1/tasks")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")
    assert "Retry-After" in answer.headers
    ready = replace(caller, app=crowded).call("GET", "/readyz")
    assert (ready.status_code, ready.get_json()["failed"]) == (503, ["database"])


def test_what_a_request_logs_carries_its_id_and_its_caller(caller: Caller, dispatcher: RecordingDispatcher) -> None:
    @caller.app.get("/v1/broken")
    def broken() -> str:
        raise RuntimeError

    with capture_logs(processors=[merge_contextvars]) as logged:
        answer = caller.app.test_client().get("/v1/broken", headers={"X-Request-ID": "mine-7"})
    assert answer.status_code == 500
    assert [line["request_id"] for line in logged] == ["mine-7"]


def test_who_has_no_key_is_told_how_to_show_one(caller: Caller) -> None:
    caller.key = ""
    assert caller.call("GET", "/v1/tasks").headers["WWW-Authenticate"] == "Bearer"


def test_big_numbers_change_nothing_but_themselves(caller: Caller) -> None:
    body = {"task_type": "EXPORT", "entity_type": "EVENTS", "file_type": "CSV", "metadata": BIG}
    created = caller.call("POST", "/v1/tasks", body)
    small = caller.call("POST", "/v1/tasks", body | {"metadata": {}})
    assert created.get_json()["metadata"] == BIG
    assert list(created.get_json()) == list(small.get_json())


@pytest.mark.parametrize("limit", ["1_000", "%205", "%D9%A1", "1e3", ""])
def test_a_limit_is_written_in_digits(caller: Caller, limit: str) -> None:
    answer = caller.call("GET", f"/v1/tasks?limit={limit}")
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid filter parameters")
