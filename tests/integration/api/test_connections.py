"""Connections by HTTP: made, read, changed, deleted, and their credentials never seen again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from structlog.testing import capture_logs

from schemas.connections import ConnectionSchema, ShownBucketSchema
from schemas.vocabulary import Role
from service.config import Settings
from service.connections.secrets import SecretBox
from service.db.models import Connection, Task
from service.imports.run import run_imports
from service.stack.servers import RunningServers
from service.storage.clients import BucketAccess
from service.storage.s3 import S3ObjectStore
from service.storage.sessions import Keys
from service.tracking.workbench import Workbench
from tests.fakes.stores import Front, run_front
from tests.integration.api.conftest import Caller, NewCaller

PATH = "/v1/connections"
MANAGED = {"name": "Ours", "provider_type": "s3", "sync_config": {"s3": {"is_flexprice_managed": True}}}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The settings of a service that may reach this machine."""
    return replace(settings, allowed_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def front(servers: RunningServers) -> Iterator[Front]:
    """The store of a customer."""
    keys = Keys(servers.s3.access_key_id, servers.s3.secret_access_key)
    place = BucketAccess(
        bucket="acme-billing", region="us-east-1", endpoint=servers.s3.endpoint, path_style=True, keys=keys
    )
    S3ObjectStore.open(place).ensure_bucket()
    with run_front(servers.s3.endpoint) as running:
        yield running


@pytest.fixture
def body(servers: RunningServers, front: Front) -> dict[str, Any]:
    """What creates a connection to it."""
    return {
        "name": "Acme bucket",
        "provider_type": "s3",
        "encrypted_secret_data": {
            "aws_access_key_id": servers.s3.access_key_id,
            "aws_secret_access_key": servers.s3.secret_access_key,
        },
        "sync_config": {
            "s3": {
                "bucket": "acme-billing",
                "region": "eu-west-1",
                "key_prefix": "flexprice",
                "compression": "gzip",
                "endpoint_url": front.endpoint,
                "use_path_style": True,
                "is_flexprice_managed": False,
            }
        },
        "metadata": {"owner": "billing"},
    }


def create(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    answer = caller.call("POST", PATH, body)
    assert answer.status_code == 201, answer.get_json()
    made: dict[str, Any] = answer.get_json()
    return made


def test_a_connection_lives_from_its_creation_to_its_end(caller: Caller, body: dict[str, Any], front: Front) -> None:
    made = create(caller, body)
    assert list(made) == list(ConnectionSchema().fields)
    assert list(made["sync_config"]["s3"]) == list(ShownBucketSchema().fields)
    kept = {name: made[name] for name in ("name", "provider_type", "metadata", "status", "tenant_id", "environment_id")}
    assert kept == {
        "name": "Acme bucket", "provider_type": "s3", "metadata": {"owner": "billing"}, "status": "published",
        "tenant_id": "tenant_a", "environment_id": "env_a",
    }  # fmt: skip
    assert made["sync_config"]["s3"] == {
        **body["sync_config"]["s3"], "key_prefix": "flexprice/", "encryption": None, "kms_key_id": None,
        "role_arn": None, "external_id": None,
    }  # fmt: skip
    place = f"{PATH}/{made['id']}"
    assert caller.call("GET", place).get_json() == made
    changed = caller.call("PUT", place, {"name": "New", "sync_config": {"s3": {"key_prefix": "2026"}}}).get_json()
    assert (changed["name"], changed["sync_config"]["s3"]["key_prefix"]) == ("New", "2026/")
    assert {**changed, "name": 0, "sync_config": 0, "updated_at": 0} == {
        **made, "name": 0, "sync_config": 0, "updated_at": 0,
    }  # fmt: skip
    assert [seen.method for seen in front.seen] == ["PUT", "GET", "DELETE"] * 2
    deleted = caller.call("DELETE", place)
    assert (deleted.status_code, deleted.data, "Content-Type" in deleted.headers) == (204, b"", False)
    for method in ("GET", "PUT", "DELETE"):
        answer = caller.call(method, place, {} if method == "PUT" else None)
        assert (answer.status_code, answer.get_json()["message"]) == (
            404,
            f"Connection with ID {made['id']} was not found",
        )
    assert caller.call("GET", f"{PATH}?status=deleted").get_json()["connections"][0]["id"] == made["id"]


def test_credentials_are_in_no_answer_no_row_and_no_log(
    caller: Caller, body: dict[str, Any], bench: Workbench, servers: RunningServers
) -> None:
    secret = body["encrypted_secret_data"]
    with capture_logs() as logs:
        headers = {"Idempotency-Key": "once"}
        caller.headers.update(headers)
        made = caller.call("POST", PATH, body)
        again = caller.call("POST", PATH, body)
        caller.headers.clear()
        place = f"{PATH}/{made.get_json()['id']}"
        answers = [made, again, caller.call("GET", place), caller.call("GET", PATH)]
        answers.append(caller.call("PUT", place, {"encrypted_secret_data": secret}))
        wrong = {**secret, "aws_session_token": "to ken"}
        answers.append(caller.call("PUT", place, {"encrypted_secret_data": wrong}))
        answers.append(caller.call("POST", PATH, {**body, "encrypted_secret_data": wrong}))
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 200, 400, 400]
    assert made.get_json() == again.get_json()
    with bench.sessions() as session:
        rows = session.execute(
            text("SELECT c::text FROM connections c UNION ALL SELECT a::text FROM idempotent_answers a")
        )
        stored = [row[0] for row in rows]
        sealed = session.get_one(Connection, made.get_json()["id"]).sealed_secret
    assert len(stored) == 2
    for value in [*secret.values(), "to ken"]:
        assert not any(value in answer.get_data(as_text=True) for answer in answers)
        assert value not in json.dumps(logs, default=str)
        assert not any(value in row for row in stored)
    box = SecretBox.from_settings(bench.settings)
    assert box.open(made.get_json()["id"], str(sealed)) == secret


def test_the_list_has_an_envelope_of_its_own(caller: Caller) -> None:
    assert caller.call("GET", PATH).get_json() == {"connections": [], "total": 0, "limit": 50, "offset": 0}
    ids = [create(caller, {**MANAGED, "name": str(number)})["id"] for number in range(3)]
    page = caller.call("GET", f"{PATH}?limit=2&offset=1").get_json()
    assert ([found["id"] for found in page.pop("connections")], page) == (
        [ids[1], ids[0]],
        {"total": 3, "limit": 2, "offset": 1},
    )
    for search, found in [
        ({}, ids[::-1]),
        ({"connection_ids": [ids[1], "conn_x"]}, [ids[1]]),
        ({"connection_ids": []}, []),
        ({"provider_type": "gcs"}, []),
        ({"status": "deleted", "limit": None}, []),
        ({"limit": 1, "provider_type": "s3"}, [ids[2]]),
    ]:
        answer = caller.call("POST", f"{PATH}/search", search).get_json()
        assert [connection["id"] for connection in answer["connections"]] == found
    assert caller.call("GET", f"{PATH}?limit=x").status_code == 400
    assert caller.call("POST", f"{PATH}/search", {"limit": "1"}).status_code == 400


def test_a_managed_connection_needs_no_credentials_and_keeps_to_its_scope(caller: Caller) -> None:
    shown = create(caller, MANAGED)["sync_config"]["s3"]
    assert shown["is_flexprice_managed"] is True
    assert (shown["bucket"], shown["key_prefix"]) == (None, "tenant_a/env_a/")


def test_a_change_that_does_not_work_changes_nothing(caller: Caller, body: dict[str, Any], front: Front) -> None:
    made = create(caller, body)
    place = f"{PATH}/{made['id']}"
    front.refused = {"DELETE"}
    answer = caller.call("PUT", place, {"name": "New", "sync_config": {"s3": {"key_prefix": "x"}}})
    assert (answer.status_code, answer.get_json()["details"]["step"]) == (400, "delete")
    assert caller.call("GET", place).get_json() == made
    assert caller.call("PUT", place, {"name": "New"}).get_json()["name"] == "New"
    assert caller.call("PUT", place, {"sync_config": {"s3": {"bucket": "other"}}}).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": ""}, 400),
        ({"name": None}, 400),
        ({"provider_type": "gcs"}, 400),
        ({"encrypted_secret_data": "text"}, 400),
        ({"encrypted_secret_data": {"aws_access_key_id": 7}}, 400),
        ({"sync_config": None}, 400),
        ({"sync_config": {"s3": {"bucket": "acme-billing", "endpoint_url": "http://10.0.0.1"}}}, 400),
        ({"metadata": []}, 400),
    ],
)
def test_a_wrong_body_is_told(caller: Caller, body: dict[str, Any], wrong: dict[str, Any], status: int) -> None:
    assert caller.call("POST", PATH, {**body, **wrong}).status_code == status


def test_readers_read_and_only_writers_write(new_caller: NewCaller, caller: Caller) -> None:
    made, reader = create(caller, MANAGED), new_caller(role=Role.READER)
    place = f"{PATH}/{made['id']}"
    for method, path, sent, status in [
        ("GET", PATH, None, 200),
        ("POST", f"{PATH}/search", {}, 200),
        ("GET", place, None, 200),
        ("POST", PATH, MANAGED, 403),
        ("PUT", place, {}, 403),
        ("DELETE", place, None, 403),
    ]:
        assert reader.call(method, path, sent).status_code == status


def test_without_a_key_for_secrets_there_are_no_connections(app: Flask, caller: Caller, body: dict[str, Any]) -> None:
    here = app.extensions["wharf"]
    app.extensions["wharf"] = replace(here, settings=replace(here.settings, secret_keys=()))
    answer = caller.call("POST", PATH, body)
    assert (answer.status_code, answer.get_json()["code"]) == (501, "not_configured")
    assert "WHARF_SECRET_KEYS" in answer.get_json()["message"]


def test_two_changes_at_once_are_not_mixed(
    caller: Caller, body: dict[str, Any], front: Front, bench: Workbench
) -> None:
    made = create(caller, body)
    place = f"{PATH}/{made['id']}"

    def change_meanwhile(request: str) -> None:
        if request == "DELETE":
            assert caller.call("PUT", place, {"name": "First"}).status_code == 200

    front.on_request = change_meanwhile
    answer = caller.call("PUT", place, {"name": "Second", "sync_config": {"s3": {"key_prefix": "x"}}})
    assert answer.status_code == 409
    assert caller.call("GET", place).get_json()["name"] == "First"


def test_tasks_use_the_connection_that_their_bucket_has(caller: Caller, body: dict[str, Any], bench: Workbench) -> None:
    made = create(caller, body)
    kind = {"entity_type": "CUSTOMERS", "file_type": "CSV"}
    export = {"task_type": "EXPORT", **kind}
    asked = [
        ({**export, "file_url": "s3://acme-billing/flexprice/2026"}, made["id"], "s3://acme-billing/flexprice/2026"),
        ({**export, "file_url": "s3://acme-billing"}, made["id"], "s3://acme-billing"),
        ({**export, "file_url": ""}, None, None),
        ({**export, "file_url": "s3://other/x", "upload_id": "x"}, None, None),
    ]
    for sent, connection_id, destination_url in asked:
        created = caller.call("POST", "/v1/tasks", sent).get_json()
        with bench.sessions() as session:
            task = session.get_one(Task, created.get("task_id") or created["id"])
            assert (task.connection_id, task.destination_url, task.file_url) == (connection_id, destination_url, "")
    for sent in (
        {**export, "file_url": "s3://acme-billing/elsewhere"},
        {**export, "file_url": "s3://other"},
        {**export, "file_url": "https://files.example.com/x"},
        {"task_type": "IMPORT", **kind, "file_url": "s3://acme-billing/elsewhere/x.csv"},
        {"task_type": "IMPORT", **kind, "file_url": "s3://acme-billing"},
    ):
        answer = caller.call("POST", "/v1/tasks", sent)
        assert (answer.status_code, list(answer.get_json()["details"])) == (400, ["file_url"]), answer.get_json()


def test_an_import_from_their_bucket_and_its_retry(caller: Caller, body: dict[str, Any], bench: Workbench) -> None:
    made = create(caller, body)
    rows = b"external_id,name\nc-1,One\nc-2,\n"
    theirs = replace(bench.settings, s3_bucket="acme-billing")
    S3ObjectStore.from_settings(theirs).put("flexprice/rows.csv", rows, "text/csv", {})
    url = "s3://acme-billing/flexprice/rows.csv"
    sent = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_url": url}
    first = _run(caller, bench, "/v1/tasks", sent)
    assert (first["outcome"], first["counts"]["created"], first["file_url"]) == ("PARTIAL", 1, url)
    again = _run(caller, bench, f"/v1/tasks/{first['id']}/retry", {"scope": "all"})
    assert (again["outcome"], again["counts"]["created"]) == ("PARTIAL", 0)
    plan = _run(caller, bench, "/v1/tasks", {**sent, "options": {"dry_run": True}})
    assert caller.call("DELETE", f"{PATH}/{made['id']}").status_code == 204
    # The bytes of a plan are in the service's own bucket.
    kind = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
    loaded = _run(caller, bench, "/v1/tasks", {**kind, "plan_id": plan["plan_id"]})
    assert loaded["outcome"] == "PARTIAL"
    answer = caller.call("POST", f"/v1/tasks/{first['id']}/retry", {"scope": "all"})
    assert (answer.status_code, list(answer.get_json()["details"])) == (400, ["file_url"])


def _run(caller: Caller, bench: Workbench, path: str, sent: dict[str, Any]) -> dict[str, Any]:
    answer = caller.call("POST", path, sent)
    assert answer.status_code in {200, 202}, answer.get_json()
    while run_imports(bench, answer.get_json()["id"]):
        pass
    task: dict[str, Any] = caller.call("GET", f"/v1/tasks/{answer.get_json()['id']}").get_json()
    return task
