"""Idempotency-Key on every route that creates."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from schemas.vocabulary import TaskType
from service.db.clock import now
from service.db.models import IdempotentAnswer, Scope, Task, Upload
from service.idempotency import RequestKey, claim_answer
from service.sweep import sweep
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.conftest import Caller, NewCaller

EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "metadata": {"b": 1.0, "a": [1]}}


def post(caller: Caller, path: str, body: Any, key: str = "2d1e6a1e-1") -> TestResponse:
    headers = {"x-api-key": caller.key, "Idempotency-Key": key}
    return caller.app.test_client().post(path, json=body, headers=headers)


def count_of(bench: Workbench, table: Any) -> int:
    with bench.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def age_answers(bench: Workbench, hours: float) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(IdempotentAnswer).values(created_at=now() - timedelta(hours=hours)))


def test_the_same_request_is_answered_the_same_and_done_once(
    caller: Caller, bench: Workbench, dispatcher: RecordingDispatcher
) -> None:
    first, again = (post(caller, "/v1/tasks", EXPORT) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.data == again.data
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert count_of(bench, Task) == 1
    assert dispatcher.sent == [(first.get_json()["id"], TaskType.EXPORT)]


def test_an_answer_is_the_first_one_even_when_the_task_has_gone_on(caller: Caller) -> None:
    first = post(caller, "/v1/tasks", EXPORT)
    caller.call("PUT", f"/v1/tasks/{first.get_json()['id']}/status", {"task_status": "FAILED"})
    assert post(caller, "/v1/tasks", EXPORT).data == first.data


def test_another_body_under_the_same_key_is_refused(caller: Caller, bench: Workbench) -> None:
    post(caller, "/v1/tasks", EXPORT)
    answer = post(caller, "/v1/tasks", {**EXPORT, "entity_type": "EVENTS"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_key_reused")
    assert answer.get_json()["details"] == {"idempotency_key": "2d1e6a1e-1"}
    assert count_of(bench, Task) == 1


def test_another_route_under_the_same_key_is_refused(caller: Caller) -> None:
    body = {**EXPORT, "file_name": "a.csv"}
    assert post(caller, "/v1/tasks", body).status_code == 202
    assert post(caller, "/v1/uploads", body).status_code == 409


def test_a_refused_request_leaves_its_key_unused(caller: Caller) -> None:
    assert post(caller, "/v1/tasks", {**EXPORT, "entity_type": "NOTHING"}).status_code == 400
    unknown = {"task_type": "IMPORT", "entity_type": "EVENTS", "file_type": "CSV", "upload_id": "unknown"}
    assert post(caller, "/v1/tasks", unknown).status_code == 400
    assert post(caller, "/v1/tasks", EXPORT).status_code == 202


def test_concurrent_twins_make_one_task(caller: Caller, bench: Workbench) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(caller, "/v1/tasks", EXPORT), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 7
    assert count_of(bench, Task) == 1


def test_an_upload_is_made_once_and_its_link_works_again(caller: Caller, bench: Workbench) -> None:
    first, again = (post(caller, "/v1/uploads", {"file_name": "a.csv"}).get_json() for _ in range(2))
    assert (again["upload_id"], again["expires_at"]) == (first["upload_id"], first["expires_at"])
    assert requests.put(again["upload_url"], data=b"x", timeout=5).ok
    assert count_of(bench, Upload) == 1


def test_no_link_is_stored(caller: Caller, bench: Workbench) -> None:
    post(caller, "/v1/uploads", {"file_name": "a.csv"})
    with bench.sessions() as session:
        assert set(session.scalars(select(IdempotentAnswer)).one().body or {}) == {"upload_id", "expires_at"}


def test_a_task_from_an_upload_is_answered_the_same(caller: Caller, bench: Workbench) -> None:
    upload_id = caller.call("POST", "/v1/uploads", {"file_name": "a.csv"}).get_json()["upload_id"]
    body = {"task_type": "IMPORT", "entity_type": "EVENTS", "file_type": "CSV", "upload_id": upload_id}
    first, again = (post(caller, "/v1/tasks", body) for _ in range(2))
    assert (first.status_code, again.status_code, first.data) == (200, 200, again.data)
    assert count_of(bench, Task) == 1


def test_scopes_have_keys_of_their_own(caller: Caller, new_caller: NewCaller, bench: Workbench) -> None:
    ids = {
        post(one, "/v1/tasks", EXPORT).get_json()["id"]
        for one in (caller, new_caller(environment="env_b"), new_caller(tenant="tenant_b"))
    }
    assert len(ids) == 3


def test_after_a_day_a_key_is_new(caller: Caller, bench: Workbench) -> None:
    post(caller, "/v1/tasks", EXPORT)
    age_answers(bench, 24.1)
    answer = post(caller, "/v1/tasks", {**EXPORT, "entity_type": "EVENTS"})
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (202, False)
    assert count_of(bench, Task) == 2


def test_the_sweep_forgets_old_answers_and_keeps_the_others(caller: Caller, bench: Workbench) -> None:
    post(caller, "/v1/tasks", EXPORT, key="old")
    age_answers(bench, 24.1)
    post(caller, "/v1/tasks", EXPORT, key="young")
    sweep(bench)
    with bench.sessions() as session:
        assert session.scalars(select(IdempotentAnswer.key)).all() == ["young"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "\xe9"])
def test_a_key_that_is_no_name_is_refused(caller: Caller, key: str) -> None:
    answer = post(caller, "/v1/tasks", EXPORT, key=key)
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid request format")
    assert "Idempotency-Key" in answer.get_json()["details"]


def test_a_twin_that_waits_too_long_is_told_to_try_again(caller: Caller, bench: Workbench) -> None:
    with bench.sessions() as session:
        scope_id = session.scalar(select(Scope.id)) or 0
        # The first, which does not come to its end.
        claim_answer(session, RequestKey(scope_id, "2d1e6a1e-1", b"hash"))
        answer = post(caller, "/v1/tasks", EXPORT)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")
    assert "Idempotency-Key is being done" in answer.get_json()["message"]
    assert int(answer.headers["Retry-After"]) > 0
    assert post(caller, "/v1/tasks", EXPORT).status_code == 202
