"""POST /v1/tasks with every hostile target and with name servers in trouble: always an answer, never a task.

Names are looked up by the process's own resolver; below it, a table stands in for the system's name servers.
"""

import logging
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from schemas.vocabulary import Role
from service.access import ensure_scope, new_key, store_key
from service.api.context import Context
from service.app import build_app
from service.db.models import Task
from service.source.resolver import resolve_by_system
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher
from tests.fakes.rate_limit import CountingRateLimiter
from tests.unit.source.hostile import HOSTILE, make_names

SECRET = "s3cr3t"
MESSAGE = "file_url must be an https URL pointing to a publicly routable host"
# The body is refused before its URL is looked at, or the URL is trimmed first.
#: A connection leads there, or none.
NO_ADDRESS = {"a bucket"}
NOT_THE_GUARDS = {"empty", "zero byte", "half a surrogate", "leading space"}

Create = Callable[[Any], TestResponse]
Count = Callable[[], int | None]


@pytest.fixture(autouse=True)
def name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers for the names of the table. The seam is private: no other part of the service may change it."""
    names = make_names()

    def look_up(host: str, port: int, **_options: object) -> list[Any]:
        return [(0, 0, 0, "", (str(address), port)) for address in names(host, port)]

    monkeypatch.setattr(resolve_by_system, "_look_up", look_up)


@pytest.fixture
def client(bench: Workbench) -> FlaskClient:
    app = build_app(Context(bench.settings, bench.sessions, bench.store, bench.dispatcher, CountingRateLimiter()))
    return app.test_client()


@pytest.fixture
def create(client: FlaskClient, bench: Workbench) -> Create:
    """Asks for an import from a URL."""
    key = new_key()
    with bench.sessions.begin() as session:
        store_key(session, ensure_scope(session, "tenant_a", "env_a"), key, "test", Role.WRITER)

    def ask(url: Any) -> TestResponse:
        body = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_url": url}
        return client.post("/v1/tasks", json=body, headers={"x-api-key": key})

    return ask


@pytest.fixture
def count(bench: Workbench) -> Count:
    """Counts the tasks there are."""

    def ask() -> int | None:
        with bench.sessions() as session:
            return session.scalar(select(func.count()).select_from(Task))

    return ask


def test_every_hostile_target_is_answered_400_with_field_rule_and_remedy(
    create: Create, count: Count, dispatcher: RecordingDispatcher
) -> None:
    answers = {target: create(target.url) for target in HOSTILE if target.kind not in NOT_THE_GUARDS | NO_ADDRESS}
    assert {target.kind: answer.status_code for target, answer in answers.items() if answer.status_code != 400} == {}
    for target, answer in answers.items():
        body = answer.get_json()
        assert (body["code"], body["message"], body["details"]["rule"]) == ("validation_error", MESSAGE, target.rule)
        assert (body["details"]["field"], body["error"]["details"]) == ("file_url", body["details"])
        assert "WHARF_ALLOWED_HOSTS" in body["details"]["remedy"]
    assert (count(), dispatcher.sent) == (0, [])


def test_a_url_that_is_no_text_or_cannot_be_stored_is_answered_400(create: Create, count: Count) -> None:
    unusable = [target.url for target in HOSTILE if target.kind in NOT_THE_GUARDS - {"leading space"}]
    answers = [create(value) for value in [*unusable, 1, 1.5, True, [], ["https://public.example/"], {"a": 1}]]
    assert [answer.status_code for answer in answers] == [400] * 9
    assert {answer.get_json()["message"] for answer in answers} == {"Invalid request format"}
    assert count() == 0


def test_white_space_around_a_url_is_taken_off(create: Create) -> None:
    answer = create(" https://public.example/rows.csv\n")
    assert (answer.status_code, answer.get_json()["file_url"]) == (202, "https://public.example/rows.csv")


def test_an_answer_and_a_log_keep_the_secrets_of_the_url(
    create: Create, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    urls = [
        f"https://user:{SECRET}@public.example/rows.csv",
        f"https://public.example:8443/rows.csv?X-Amz-Signature={SECRET}",
        f"https://unknown.example/rows.csv?sig={SECRET}",
        f"https://[half/rows.csv?token={SECRET}",
    ]
    answers = [create(url) for url in urls]
    written = capfd.readouterr()
    assert [answer.status_code for answer in answers] == [400] * 4
    told = "".join(answer.get_data(as_text=True) for answer in answers)
    assert SECRET not in told + caplog.text + written.out + written.err


def test_an_unknown_name_is_answered_400(create: Create) -> None:
    answer = create("https://unknown.example/rows.csv")
    assert answer.status_code == 400
    assert answer.get_json()["details"]["rule"] == "its host name cannot be resolved (unknown)"


def test_name_servers_that_are_silent_are_given_up(
    create: Create, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Event()

    def look_up(*_arguments: object, **_options: object) -> list[Any]:
        over.wait()
        return []

    monkeypatch.setattr(resolve_by_system, "_look_up", look_up)
    monkeypatch.setattr(resolve_by_system, "_seconds", 0.01)
    answer = create("https://public.example/rows.csv")
    over.set()
    assert (answer.status_code, answer.get_json()["message"]) == (400, MESSAGE)
    assert "the name servers did not answer in time" in answer.get_json()["details"]["rule"]
    assert count() == 0


def test_one_look_up_too_many_is_answered_503_with_a_time_to_come_back(
    create: Create, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_by_system, "_turn_seconds", 0.01)
    turns = [resolve_by_system._turn() for _ in range(4)]
    for turn in turns:
        turn.__enter__()
    refused = [create("https://public.example/rows.csv") for _ in range(3)]
    literal = create("https://8.8.8.8/rows.csv")
    for turn in turns:
        turn.__exit__(None, None, None)
    assert [(answer.status_code, answer.get_json()["code"]) for answer in refused] == [(503, "service_unavailable")] * 3
    assert [int(answer.headers["Retry-After"]) > 0 for answer in refused] == [True] * 3
    assert (literal.status_code, count()) == (202, 1)
    assert create("https://public.example/rows.csv").status_code == 202
