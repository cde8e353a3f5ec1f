"""Limits of each API key: how many requests in a minute, and how long a body."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from service.app import create_app
from service.config import Settings
from service.db.models import ApiKey
from service.db.session import Sessions
from tests.fakes.rate_limit import CountingRateLimiter
from tests.integration.api.conftest import Caller, NewCaller

EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}


@pytest.fixture
def limited(caller: Caller, sessions: Sessions) -> Caller:
    """A caller with limits of its own: two requests a minute, of bodies of a hundred bytes."""
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(requests_per_minute=2, body_max_bytes=100))
    return caller


def test_answers_tell_what_is_left(limited: Caller) -> None:
    answers = [limited.call("GET", path) for path in ("/v1/tasks", "/v1/tasks/task_x")]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"2"}
    assert {answer.headers["RateLimit-Reset"] for answer in answers} == {"60"}


def test_too_many_requests_are_told_when_to_come_back(limited: Caller) -> None:
    answers = [limited.call("POST", "/v1/tasks", EXPORT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    refused = answers[2].get_json()
    assert (refused["code"], refused["http_status_code"]) == ("too_many_requests", 429)
    assert refused["details"] == {"limit": 2, "window_seconds": 60, "retry_after_seconds": 60}
    assert answers[2].headers["Retry-After"] == "60"


def test_other_keys_are_not_held_back(limited: Caller, new_caller: NewCaller) -> None:
    for _ in range(3):
        limited.call("GET", "/v1/tasks")
    answer = new_caller().call("GET", "/v1/tasks")
    assert (answer.status_code, answer.headers["RateLimit-Limit"]) == (200, "6000")


def test_all_requests_pass_while_nobody_counts(limited: Caller, rate_limiter: CountingRateLimiter) -> None:
    rate_limiter.away = True
    answers = [limited.call("GET", "/v1/tasks") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[0].headers


def test_a_body_may_be_as_long_as_the_key_allows(limited: Caller, new_caller: NewCaller) -> None:
    body: dict[str, Any] = {**EXPORT, "metadata": {"note": "x" * 100}}
    answer = limited.call("POST", "/v1/tasks", body)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert "100 bytes" in answer.get_json()["message"]
    assert new_caller().call("POST", "/v1/tasks", body).status_code == 202


def test_a_body_that_does_not_tell_its_length_may_not_be_longer_either(limited: Caller) -> None:
    body = b'{"task_type": "EXPORT", "entity_type": "EVENTS", "file_type": "CSV"}' + b" " * 100
    answer = limited.app.test_client().post(
        "/v1/tasks",
        input_stream=BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
        headers={"x-api-key": limited.key},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


@pytest.fixture
def served(settings: Settings) -> Iterator[Flask]:
    """The app as a web process makes it."""
    app = create_app(settings)
    yield app
    app.extensions["wharf"].sessions.kw["bind"].dispose()


def test_the_app_as_it_is_served_counts_on_the_broker(served: Flask, caller: Caller) -> None:
    first, second = (Caller(served, caller.key).call("GET", "/v1/tasks") for _ in range(2))
    assert int(first.headers["RateLimit-Remaining"]) - int(second.headers["RateLimit-Remaining"]) in {1, -5998}
