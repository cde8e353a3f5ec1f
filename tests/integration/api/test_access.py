"""Who is let in by which header, and what each role may do on every route."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from schemas.vocabulary import Role
from service.access import ensure_scope, hash_key
from service.config import StaticKey
from service.db.clock import seconds_from_now
from service.db.models import ApiKey, Task
from service.db.session import Sessions
from service.stored_keys import revoke_key
from tests.fakes.rate_limit import CountingRateLimiter
from tests.integration.api.conftest import Caller, NewCaller
from tests.integration.api.walk import choose_from, fill, read_operations

EVERYBODY = {"nobody", *map(str, Role)}
READERS = set(map(str, Role))
WRITERS = {str(Role.WRITER), str(Role.ADMIN)}

#: Who is let in where: each operation of the document must take its stand here.
LET_IN = {
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /v1/tasks": READERS,
    "POST /v1/tasks": WRITERS,
    "GET /v1/tasks/result": READERS,
    "GET /v1/tasks/events": READERS,
    "GET /v1/tasks/scheduled": READERS,
    "POST /v1/tasks/scheduled": WRITERS,
    "GET /v1/tasks/scheduled/{schedule_id}": READERS,
    "PUT /v1/tasks/scheduled/{schedule_id}": WRITERS,
    "DELETE /v1/tasks/scheduled/{schedule_id}": WRITERS,
    "POST /v1/tasks/scheduled/{schedule_id}/run": WRITERS,
    "GET /v1/tasks/{task_id}": READERS,
    "GET /v1/tasks/{task_id}/download": READERS,
    "GET /v1/tasks/{task_id}/errors": READERS,
    "GET /v1/tasks/{task_id}/errors/download": READERS,
    "POST /v1/tasks/{task_id}/retry": WRITERS,
    "PUT /v1/tasks/{task_id}/status": WRITERS,
    "POST /v1/uploads": WRITERS,
    "GET /v1/connections": READERS,
    "POST /v1/connections": WRITERS,
    "POST /v1/connections/search": READERS,
    "GET /v1/connections/{connection_id}": READERS,
    "PUT /v1/connections/{connection_id}": WRITERS,
    "DELETE /v1/connections/{connection_id}": WRITERS,
}
#: Something valid under the names that a request cannot do without.
VALUES: dict[str, list[Any]] = {
    "task_id": ["task_none"],
    "workflow_id": ["wf_none"],
    "schedule_id": ["schtask_none"],
    "task_status": ["FAILED"],
    "task_type": ["EXPORT"],
    "entity_type": ["CUSTOMERS"],
    "file_type": ["CSV"],
    "file_name": ["rows.csv"],
    "scope": ["all"],
    "connection_id": ["conn_none"],
    "name": ["Acme bucket"],
    "provider_type": ["s3"],
}
STATIC_KEY = "a key of the settings"
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}


@pytest.fixture
def key(new_caller: NewCaller) -> str:
    """A writer's key for tenant_a's env_a."""
    return new_caller().key


@pytest.fixture
def static(app: Flask, sessions: Sessions) -> None:
    """An administrator of tenant_a in the settings; tenant_a has three environments, tenant_b another."""
    here = app.extensions["wharf"]
    keys = frozenset({StaticKey("ops", "tenant_a", hash_key(STATIC_KEY))})
    app.extensions["wharf"] = replace(here, settings=replace(here.settings, static_keys=keys))
    with sessions.begin() as session:
        for place in [("tenant_a", "env_a"), ("tenant_a", "env_b"), ("tenant_a", "zürich"), ("tenant_b", "env_c")]:
            ensure_scope(session, *place)


def get(app: Flask, **headers: str) -> TestResponse:
    """List tasks with these headers alone; an underscore stands for a dash."""
    return app.test_client().get(
        "/v1/tasks", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def refusal(answer: TestResponse) -> tuple[int, dict[str, str]]:
    return answer.status_code, answer.get_json()


def unauthorized(text: str) -> tuple[int, dict[str, str]]:
    """The body of a 401; some clients read one key, some the other."""
    return 401, {"error": text, "message": text}


def test_without_any_key_a_request_is_unauthorized(app: Flask) -> None:
    assert refusal(get(app)) == unauthorized("Unauthorized")


@pytest.mark.parametrize("key", ["", "sk_unknown", "\xe9", "x" * 10_000])
def test_an_unknown_key_alone_is_unauthorized(app: Flask, key: str) -> None:
    assert refusal(get(app, x_api_key=key)) == unauthorized("Unauthorized")


@pytest.mark.parametrize("header", ["Basic x", "Bearer", "Bearer ", "Bearer   ", "x", "", "Token sk_x"])
def test_an_authorization_that_is_no_bearer_s_is_told(app: Flask, header: str) -> None:
    assert refusal(get(app, Authorization=header)) == unauthorized("Invalid authorization header format")


@pytest.mark.parametrize("token", ["sk_unknown", "aaa.bbb.ccc", "\xe9"])
def test_an_unknown_token_is_told(app: Flask, token: str) -> None:
    assert refusal(get(app, Authorization=f"Bearer {token}")) == unauthorized("Invalid token")


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_a_key_may_come_as_a_bearer_s_token(app: Flask, key: str, scheme: str) -> None:
    assert get(app, Authorization=f"{scheme}{key}").status_code == 200


def test_a_key_counts_before_an_authorization(app: Flask, key: str) -> None:
    assert get(app, x_api_key=key, Authorization="Basic x").status_code == 200


def test_an_authorization_is_looked_at_when_the_key_does_not_match(app: Flask, key: str) -> None:
    assert get(app, x_api_key="sk_unknown", Authorization=f"Bearer {key}").status_code == 200
    wrong = get(app, x_api_key="sk_unknown", Authorization="Basic x")
    assert refusal(wrong) == unauthorized("Invalid authorization header format")
    assert refusal(get(app, x_api_key="sk_unknown", Authorization="Bearer x")) == unauthorized("Invalid token")


def test_a_stored_key_ignores_the_environment_that_is_asked_for(app: Flask, new_caller: NewCaller) -> None:
    caller, other = new_caller(), new_caller(environment="env_b")
    caller.headers["X-Environment-ID"] = "env_b"
    task = caller.call("POST", "/v1/tasks", EXPORT).get_json()
    assert (task["tenant_id"], task["environment_id"]) == ("tenant_a", "env_a")
    assert other.call("GET", "/v1/tasks").get_json()["items"] == []


@pytest.mark.parametrize("environment", ["env_a", "env_b", "zürich"])
def test_a_static_key_works_in_the_environment_that_is_asked_for(
    app: Flask, static: None, sessions: Sessions, environment: str
) -> None:
    # WSGI hands the bytes of a header over as Latin-1.
    caller = Caller(app, STATIC_KEY, {"X-Environment-ID": environment.encode().decode("latin-1")})
    task = caller.call("POST", "/v1/tasks", EXPORT).get_json()
    assert (task["tenant_id"], task["environment_id"], task["created_by"]) == ("tenant_a", environment, "ops")
    assert caller.call("GET", f"/v1/tasks/{task['id']}").status_code == 200
    with sessions() as session:
        assert session.scalars(select(Task.created_by)).all() == ["ops"]


@pytest.mark.parametrize("environment", [None, "", "env_c", "env_none", "env a", "\xe9"])
def test_a_static_key_is_refused_without_an_environment_of_its_tenant(
    app: Flask, static: None, environment: str | None
) -> None:
    asked = {} if environment is None else {"X-Environment-ID": environment}
    for path in ("/v1/tasks", "/v1/tasks/task_none"):
        assert refusal(Caller(app, STATIC_KEY, asked).call("GET", path)) == (
            403,
            {"error": "Access denied", "message": "Invalid or inaccessible environment"},
        )


def test_a_static_key_may_come_as_a_bearer_s_token(app: Flask, static: None) -> None:
    assert get(app, Authorization=f"Bearer {STATIC_KEY}", X_Environment_ID="env_a").status_code == 200


def test_each_key_is_counted_by_its_own_name(
    app: Flask, static: None, caller: Caller, sessions: Sessions, rate_limiter: CountingRateLimiter
) -> None:
    caller.call("GET", "/v1/tasks")
    for environment in ("env_a", "env_b"):
        get(app, x_api_key=STATIC_KEY, X_Environment_ID=environment)
    with sessions() as session:
        key_id = session.scalars(select(ApiKey.id)).one()
    assert rate_limiter.used == {key_id: 1, "static:ops": 2}


def test_a_key_may_be_without_any_limit(caller: Caller, sessions: Sessions, rate_limiter: CountingRateLimiter) -> None:
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(requests_per_minute=0))
    answer = caller.call("GET", "/v1/tasks")
    assert (answer.status_code, rate_limiter.used) == (200, {})
    assert "RateLimit-Limit" not in answer.headers


def test_a_key_is_turned_away_from_the_request_after_its_revocation(caller: Caller, sessions: Sessions) -> None:
    assert caller.call("GET", "/v1/tasks").status_code == 200
    with sessions.begin() as session:
        revoke_key(session, session.scalars(select(ApiKey.id)).one())
    assert refusal(caller.call("GET", "/v1/tasks")) == unauthorized("Unauthorized")


def test_a_key_is_turned_away_when_it_has_expired(caller: Caller, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(expires_at=seconds_from_now(-1)))
    assert refusal(caller.call("GET", "/v1/tasks")) == unauthorized("Unauthorized")


def test_requests_note_the_use_of_their_key(caller: Caller, sessions: Sessions) -> None:
    for _ in range(2):
        caller.call("GET", "/v1/tasks")
        with sessions() as session:
            assert session.scalar(select(ApiKey.last_used_at > seconds_from_now(-60))) is True


def test_too_few_rights_are_told(new_caller: NewCaller) -> None:
    answer = new_caller(role=Role.READER).call("POST", "/v1/tasks", EXPORT)
    assert refusal(answer) == (403, {"error": "Access denied", "message": "insufficient permissions"})


def test_every_operation_lets_in_whom_it_should(app: Flask, new_caller: NewCaller) -> None:
    callers = {"nobody": Caller(app, "")} | {str(role): new_caller(role=role) for role in Role}
    let_in: dict[str, set[str]] = {}
    for operation in read_operations(app.test_client().get("/openapi.json").get_json()):
        needed = replace(operation, slots=tuple(slot for slot in operation.slots if slot.required))
        request = fill(needed, choose_from(VALUES, min))
        answers = {name: request.send(app, {"x-api-key": caller.key}) for name, caller in callers.items()}
        turned_away = {name for name, answer in answers.items() if answer.status_code in {401, 403}}
        assert {answers[name].status_code for name in turned_away & {"nobody"}} <= {401}
        assert {answers[name].status_code for name in turned_away - {"nobody"}} <= {403}
        let_in[str(operation)] = set(callers) - turned_away
    assert let_in == LET_IN
