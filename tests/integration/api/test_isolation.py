"""No route shows or changes a row of another scope: the OpenAPI document is walked with names of others."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from schemas.vocabulary import Role, TaskState, TaskType
from service.access import hash_key, new_key
from service.config import StaticKey
from service.db.models import Base
from service.ids import new_id, new_ulid
from service.tracking.workbench import Workbench
from tests.factories.scopes import FilledScope, TaskKind, fill_scope
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.walk import Operation, Request, choose_from, fill, read_operations

#: Operations that answer 501 to everybody; the walk is not expected to reach anything by them.
NOT_BUILT = {
    "GET /v1/tasks/events",
    "GET /v1/tasks/scheduled",
    "POST /v1/tasks/scheduled",
    "GET /v1/tasks/scheduled/{schedule_id}",
    "PUT /v1/tasks/scheduled/{schedule_id}",
    "DELETE /v1/tasks/scheduled/{schedule_id}",
    "POST /v1/tasks/scheduled/{schedule_id}/run",
}
#: Every scope has used this key for the same request.
SHARED_KEY = "the-same-everywhere"
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
#: Texts that only one row has: ULIDs in ids, marks and tenants, and the UUIDs of runs.
ULID_LENGTH = 26
_UNIQUE = re.compile(r"(?<![0-9A-Z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Z])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Rows = list[tuple[str, int, str]]


@dataclass
class World:
    """Two tenants with two environments each, by the same names, full of rows."""

    app: Flask
    bench: Workbench
    scopes: list[FilledScope]
    static_keys: dict[str, str]

    def rows(self, scopes: Iterable[FilledScope]) -> Rows:
        """Every row of these scopes in every table: table, scope and the whole row as text."""
        with self.bench.sessions() as session:
            found = session.execute(text(ALL_ROWS), {"scopes": [filled.scope.id for filled in scopes]})
            return [(row[0], row[1], row[2]) for row in found]

    def credentials(self, caller: FilledScope, *, static: bool) -> dict[str, str]:
        """Headers that let the caller into its scope."""
        if not static:
            return {"x-api-key": caller.key}
        tenant = self.static_keys[caller.scope.tenant_id]
        return {"x-api-key": tenant, "X-Environment-ID": caller.scope.environment_id}


def all_rows() -> str:
    """One query for the rows of some scopes in all tables; a table belongs to a scope itself, or by its task."""
    parts = []
    for table in Base.metadata.sorted_tables:
        if "scope_id" in table.columns or table.name == "scopes":
            owner, source = ("r.id" if table.name == "scopes" else "r.scope_id"), table.name + " r"
        else:
            assert "task_id" in table.columns, f"say whose the rows of {table.name} are"
            owner, source = "t.scope_id", f"{table.name} r JOIN tasks t ON t.id = r.task_id"
        parts.append(f"SELECT '{table.name}', {owner}, r::text FROM {source} WHERE {owner} = ANY(:scopes)")
    return " UNION ALL ".join(parts) + " ORDER BY 1, 2, 3"


ALL_ROWS = all_rows()


def unique_texts(rows: Rows) -> set[str]:
    return {found for _, _, row in rows for found in _UNIQUE.findall(row)}


def make_world(app: Flask, bench: Workbench, kinds: Sequence[Sequence[TaskKind]], role: Role) -> World:
    """A fresh world in which the scopes have tasks of these kinds, and keys of this role."""
    tenants = [new_id("tenant"), new_id("tenant")]
    places = [(tenant, environment) for tenant in tenants for environment in ("env_1", "env_2")]
    with bench.sessions.begin() as session:
        scopes = [
            fill_scope(session, *place, role, several, bench.settings.s3_bucket)
            for place, several in zip(places, kinds, strict=True)
        ]
    for object_key in (key for filled in scopes for key in filled.object_keys):
        bench.store.put(object_key, b"x", "text/csv", {})
    static_keys = {tenant: new_key() for tenant in tenants}
    let_in(app, [StaticKey(tenant, tenant, hash_key(key)) for tenant, key in static_keys.items()])
    world = World(app, bench, scopes, static_keys)
    for filled in scopes:
        headers = {**world.credentials(filled, static=True), "Idempotency-Key": SHARED_KEY}
        assert app.test_client().post("/v1/tasks", json=EXPORT, headers=headers).status_code == 202
    return world


def let_in(app: Flask, static_keys: Sequence[StaticKey]) -> None:
    """Let the app's settings hold these keys."""
    here = app.extensions["wharf"]
    app.extensions["wharf"] = replace(here, settings=replace(here.settings, static_keys=frozenset(static_keys)))


def operations(app: Flask) -> list[Operation]:
    return read_operations(app.test_client().get("/openapi.json").get_json())


def names_of(owner: FilledScope) -> dict[str, list[Any]]:
    """What may be sent under each name to reach the owner's rows, the most telling first; None leaves it out."""
    tasks = owner.tasks
    schedules = [task.scheduled_task_id for task in tasks]
    return {
        "task_id": [task.id for task in tasks],
        "workflow_id": [*(task.workflow_id for task in tasks), *(task.id for task in tasks)],
        "schedule_id": schedules,
        "connection_id": [connection.id for connection in owner.connections],
        "connection_ids": [[connection.id for connection in owner.connections], None],
        "provider_type": ["s3"],
        "name": ["Ours"],
        "encrypted_secret_data": [None],
        "sync_config": [{"s3": {"is_flexprice_managed": True}}],
        "scheduled_task_id": [None, *schedules],
        "upload_id": [*(upload.id for upload in owner.uploads), None],
        "plan_id": [None, *(task.id for task in tasks)],
        "scope": ["rejected", "all"],
        "code": [None, "required"],
        "created_by": [None, owner.user_id],
        "file_url": [None, "", *(task.file_url for task in tasks if task.file_url)],
        "task_status": [None, TaskState.FAILED, TaskState.PROCESSING, TaskState.COMPLETED],
        "task_type": [None, "IMPORT", "EXPORT"],
        "entity_type": [None, "CUSTOMERS", "EVENTS"],
        "file_type": ["CSV"],
        "status": [None, "published", "deleted"],
        "sort": [None, "created_at", "id", "file_name"],
        "order": [None, "asc", "desc"],
        "limit": [None, 0, 1, 1000],
        "offset": [None, 0, 1],
        "start_time": [None, "2020-01-01T00:00:00Z"],
        "end_time": [None, "2100-01-01T00:00:00Z"],
        "expand": [None],
        "file_provider": [None, "csvbox"],
        "file_name": ["rows.csv", None],
        "size": [None, 10],
        "metadata": [None, {"batch": 7}, *({"plan_id": task.id} for task in tasks)],
        "options": [None, {"mode": "insert"}],
    }


def check_answer(world: World, caller: FilledScope, secrets: set[str], sent: str, answer: TestResponse) -> None:
    """Nothing of another scope is in the answer, in the caller's rows or in a message.

    A name that the caller sent may come back, in an error; it may not be stored.
    """
    own_rows = world.rows([caller])
    shown = answer.get_data(as_text=True) + str(answer.headers)
    assert [secret for secret in secrets if secret in shown and secret not in sent] == []
    assert unique_texts(own_rows) & secrets == set()
    dispatcher = world.bench.dispatcher
    assert isinstance(dispatcher, RecordingDispatcher)
    assert [task_id for task_id, _ in dispatcher.sent if task_id.removeprefix("task_") in secrets] == []
    assert answer.status_code < 500 or answer.status_code == 501
    assert total_of(answer) <= sum(table == "tasks" for table, _, _ in own_rows)


def check_twin(
    secrets: set[str], request: Request, answer: TestResponse, send: Callable[[Request], TestResponse]
) -> None:
    """What belongs to others is answered like what never was: not even that it exists can be told."""
    sent = sent_text(request)
    names = {secret: new_ulid() if len(secret) == ULID_LENGTH else str(uuid4()) for secret in secrets if secret in sent}
    twin = send(request.renamed(names))
    assert twin.status_code == answer.status_code
    if answer.status_code >= 400:
        expected = answer.get_data(as_text=True)
        for old, new in names.items():
            expected = expected.replace(old, new)
        assert twin.get_data(as_text=True) == expected


def without_own_words(request: Request) -> Request:
    """Metadata of an export or a connection mean nothing to us, and are kept as they were given, whatever they name."""
    body = request.body or {}
    if (body.get("task_type") == TaskType.EXPORT or "provider_type" in body) and body.get("metadata"):
        return replace(request, body={**body, "metadata": {"batch": 7}})
    return request


def total_of(answer: TestResponse) -> int:
    """How many rows a list says that there are; 0 for another answer."""
    body = answer.get_json(silent=True)
    pagination = body.get("pagination", {}) if isinstance(body, dict) else {}
    return int(pagination.get("total", 0))


def sent_text(request: Request) -> str:
    return f"{request.url} {request.body} {request.headers}"


KINDS = st.lists(st.sampled_from(TaskKind), min_size=1, max_size=3, unique=True)


# Thirty worlds take a while where the machine is slow.
@pytest.mark.timeout(300)
# A failure is told as it was found: to make it smaller would take minutes, and the walk names the operation anyway.
@settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    kinds=st.tuples(KINDS, KINDS, KINDS, KINDS),
    role=st.sampled_from([Role.ADMIN, Role.WRITER, Role.READER]),
    pair=st.permutations(range(4)).map(lambda order: order[:2]),
    static=st.booleans(),
    data=st.data(),
)
def test_no_route_shows_or_changes_a_row_of_another_scope(
    app: Flask,
    bench: Workbench,
    dispatcher: RecordingDispatcher,
    kinds: tuple[list[TaskKind], ...],
    role: Role,
    pair: list[int],
    static: bool,
    data: st.DataObject,
) -> None:
    world = make_world(app, bench, kinds, role)
    caller, owner = world.scopes[pair[0]], world.scopes[pair[1]]
    others = [filled for filled in world.scopes if filled is not caller]
    before = world.rows(others)
    dispatcher.sent.clear()
    choose = choose_from(names_of(owner), lambda values: data.draw(st.sampled_from(values)))
    asked = {"X-Environment-ID": owner.scope.environment_id, "Idempotency-Key": SHARED_KEY}
    # Scopes of one tenant share its name.
    secrets = unique_texts(before) - {caller.scope.tenant_id.removeprefix("tenant_")}
    for operation in operations(app):
        headers = {
            **{name: value for name, value in asked.items() if data.draw(st.booleans())},
            **world.credentials(caller, static=static),
        }
        send = partial(Request.send, app=app, headers=headers)
        request = without_own_words(fill(operation, choose))
        answer = send(request)
        assert answer.status_code != 401, f"{operation} did not know the caller"
        check_answer(world, caller, secrets, sent_text(request), answer)
        assert world.rows(others) == before
        check_twin(secrets, request, answer, send)


@pytest.mark.parametrize("static", [False, True])
def test_the_same_walk_reaches_the_caller_s_own_rows(app: Flask, bench: Workbench, static: object) -> None:
    world = make_world(app, bench, [list(TaskKind), *[[TaskKind.WAITING_EXPORT]] * 3], Role.WRITER)
    owner, answered = world.scopes[0], set()
    for task in owner.tasks:
        table = {**names_of(owner), "task_id": [task.id], "workflow_id": [task.workflow_id], "task_status": ["FAILED"]}
        # Beside an upload it would be one source too many.
        table["plan_id"] = [None]
        for operation in operations(app):
            # The status of a task is also a filter; without it all are listed.
            choose = choose_from(table, lambda values: next((v for v in values if v is not None), None))
            answer = fill(operation, choose).send(app, world.credentials(owner, static=bool(static)))
            if answer.status_code < 300:
                answered.add(str(operation))
    assert {str(operation) for operation in operations(app)} - answered == NOT_BUILT


def test_each_scope_of_the_walk_has_rows_in_every_table(app: Flask, bench: Workbench) -> None:
    world = make_world(app, bench, [list(TaskKind)] * 4, Role.WRITER)
    tables = {table.name for table in Base.metadata.sorted_tables}
    for filled in world.scopes:
        assert {table for table, _, _ in world.rows([filled])} == tables


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"in": "path", "name": "thing_id", "required": True}]},
        {"parameters": [{"in": "query", "name": "thing_id"}]},
        {"requestBody": {"content": {"application/json": {"schema": {"properties": {"thing_id": {}}}}}}},
    ],
)
def test_a_route_that_the_walk_cannot_fill_stops_it(operation: dict[str, Any]) -> None:
    (found,) = read_operations({"paths": {"/v1/things/{thing_id}": {"post": operation}}})
    with pytest.raises(AssertionError, match="does not know what to send as thing_id"):
        fill(found, choose_from({"task_id": ["x"]}, min))
