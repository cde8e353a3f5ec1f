"""The six operations and uploads, through the app, on real servers."""

import gzip
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from schemas.vocabulary import EntityType, Role, TaskState, TaskType
from service.exports.run import run_export
from service.imports.run import run_imports
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.conftest import Caller, NewCaller

EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
CUSTOMERS = "external_id,name\nc-1,One\nc-2,\n"

TASK_KEYS = {
    "id", "task_type", "entity_type", "scheduled_task_id", "workflow_id", "run_id", "file_url", "file_name",
    "file_type", "task_status", "outcome", "progress", "counts", "total_records", "processed_records",
    "successful_records", "failed_records", "error_code", "error_summary", "metadata", "options", "plan_id",
    "parent_task_id", "source", "destination_url", "manifest", "attempt", "started_at", "completed_at", "failed_at",
    "environment_id", "tenant_id", "status", "created_at", "updated_at", "created_by", "updated_by",
}  # fmt: skip


def upload(caller: Caller, content: str) -> str:
    place = caller.call("POST", "/v1/uploads", {"file_name": "customers.csv"}).get_json()
    assert requests.put(place["upload_url"], data=content.encode(), timeout=5).ok
    return str(place["upload_id"])


def create_import(caller: Caller, upload_id: str) -> Mapping[str, Any]:
    body = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "upload_id": upload_id}
    answer = caller.call("POST", "/v1/tasks", {**body, "file_provider": "any"})
    assert answer.status_code == 200
    created: Mapping[str, Any] = answer.get_json()
    return created


def test_create_answers_202_with_every_key_of_the_task(caller: Caller, dispatcher: RecordingDispatcher) -> None:
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, "file_url": "", "metadata": {"batch": 7}})
    task = answer.get_json()
    assert answer.status_code == 202
    assert set(task) == TASK_KEYS
    assert (task["task_status"], task["metadata"], task["total_records"]) == ("PENDING", {"batch": 7}, None)
    assert answer.headers["Location"] == f"/v1/tasks/{task['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert dispatcher.sent == [(task["id"], TaskType.EXPORT)]


def test_create_from_an_upload_answers_200_with_the_run(caller: Caller) -> None:
    created = create_import(caller, upload(caller, CUSTOMERS))
    assert created["message"] == "task processing workflow started successfully"
    assert created["workflow_id"].startswith("wf_TaskProcessingWorkflow_")
    assert set(created) == {"message", "workflow_id", "run_id", "task_id"}


def test_create_answers_202_while_the_broker_is_down(caller: Caller, dispatcher: RecordingDispatcher) -> None:
    dispatcher.away = True
    assert caller.call("POST", "/v1/tasks", EXPORT).status_code == 202


@pytest.mark.parametrize(
    ("change", "message", "field"),
    [
        ({"task_type": "MOVE"}, "Invalid task type", "task_type"),
        ({"entity_type": "events"}, "Invalid entity type", "entity_type"),
        ({"file_type": "XLSX"}, "Invalid file type", "file_type"),
        ({"task_type": ""}, "Invalid request format", "task_type"),
        ({"entity_type": None}, "Invalid request format", "entity_type"),
        ({"file_url": "s3://theirs/x"}, "Invalid file URL", "file_url"),
        ({"options": {"dry_run": True}}, "Invalid request format", "options.dry_run"),
        ({"options": "dry_run"}, "Invalid request format", "options"),
        ({"task_type": "IMPORT"}, "Invalid request format", "file_url"),
        ({"task_type": "IMPORT", "file_url": "  "}, "File URL cannot be empty", "file_url"),
        ({"task_type": "IMPORT", "upload_id": "nope"}, "invalid upload_id", "upload_id"),
        ({"task_type": "IMPORT", "upload_id": "x", "file_url": "https://a.b"}, "Invalid request format", "file_url"),
        (
            {"task_type": "IMPORT", "file_url": "http://127.0.0.1/x.csv"},
            "file_url must be an https URL pointing to a publicly routable host",
            "rule",
        ),
    ],
)
def test_create_refuses_what_is_wrong_and_names_it(
    caller: Caller, change: dict[str, Any], message: str, field: str
) -> None:
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, **change})
    body = answer.get_json()
    assert answer.status_code == 400
    assert (body["code"], body["message"], body["http_status_code"]) == ("validation_error", message, 400)
    assert field in body["details"]
    assert body["error"]["message"] == message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "is not valid JSON at character 2"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"metadata": {"a": NaN}}', "holds NaN, which is not JSON"),
        (b'{"metadata": {"a": 1e999}}', "holds a number that does not fit a double"),
        (b'{"metadata": {"a": "\\u0000"}}', "holds the character \\u0000, which cannot be stored"),
        (b'{"file_name": "\\ud800"}', "holds half of a surrogate pair, which is no character"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested more than 64 levels deep"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(caller: Caller, body: bytes, reason: str) -> None:
    answer = caller.app.test_client().post("/v1/tasks", data=body, headers={"x-api-key": caller.key})
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid request format")
    assert answer.get_json()["details"] == {"body": [f"The body {reason}."]}


def test_a_body_that_is_no_object_is_refused(caller: Caller) -> None:
    bodies: list[Any] = [[], None, "x", 1]
    for body in bodies:
        assert caller.call("POST", "/v1/tasks", body).status_code == 400


@pytest.mark.parametrize("path", ["/v1/tasks?created_by=%00", "/v1/tasks/a%00", "/v1/tasks/result?workflow_id=%00"])
def test_nul_in_the_url_is_refused(caller: Caller, path: str) -> None:
    assert caller.call("GET", path).status_code == 400


def test_a_body_that_is_too_long_is_refused(caller: Caller, bench: Workbench) -> None:
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, "file_name": "x" * bench.settings.body_max_bytes})
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


def test_import_is_polled_to_completion_with_real_row_numbers(caller: Caller, bench: Workbench) -> None:
    created = create_import(caller, upload(caller, CUSTOMERS))
    run_imports(bench, created["task_id"])
    task = caller.call("GET", f"/v1/tasks/{created['task_id']}").get_json()
    assert task["task_status"] == "COMPLETED"
    assert task["outcome"] == "PARTIAL"
    assert task["counts"] == {"created": 1, "updated": 0, "skipped": 0, "rejected": 1}
    assert (task["total_records"], task["processed_records"], task["successful_records"], task["failed_records"]) == (
        2, 2, 1, 1,
    )  # fmt: skip
    assert "Row 2 (line 3)" in task["error_summary"]
    result = caller.call("GET", f"/v1/tasks/result?workflow_id={created['workflow_id']}").get_json()
    assert (result["task_id"], result["task_status"], result["failed_records"]) == (task["id"], "COMPLETED", 1)
    refused = caller.call("GET", f"/v1/tasks/{task['id']}/download")
    assert (refused.status_code, refused.get_json()["message"]) == (400, "File URL must start with s3://")


def test_export_is_downloaded_by_its_link(caller: Caller, bench: Workbench) -> None:
    created = create_import(caller, upload(caller, "external_id,name\nc-1,One\n"))
    run_imports(bench, created["task_id"])
    task = caller.call("POST", "/v1/tasks", EXPORT).get_json()
    early = caller.call("GET", f"/v1/tasks/{task['id']}/download")
    assert (early.status_code, early.get_json()["message"]) == (404, "Task export has not completed yet or failed")
    run_export(bench, task["id"])
    shown = caller.call("GET", f"/v1/tasks/{task['id']}").get_json()
    assert shown["file_url"].startswith(f"s3://{bench.settings.s3_bucket}/tenant_a/env_a/customers/customers-task_")
    assert (shown["total_records"], shown["manifest"]["rows"]) == (1, 1)
    link = caller.call("GET", f"/v1/tasks/{task['id']}/download").get_json()
    assert list(link) == ["download_url"]
    lines = requests.get(link["download_url"], timeout=5).text.splitlines()
    assert lines[0].startswith("external_id,name,email")
    assert lines[1].startswith('"c-1","One"')


def test_download_says_when_the_object_is_gone(caller: Caller, bench: Workbench) -> None:
    task = caller.call("POST", "/v1/tasks", EXPORT).get_json()
    run_export(bench, task["id"])
    url = caller.call("GET", f"/v1/tasks/{task['id']}").get_json()["file_url"]
    bench.store.delete(url.removeprefix(f"s3://{bench.settings.s3_bucket}/"))
    answer = caller.call("GET", f"/v1/tasks/{task['id']}/download")
    assert answer.status_code == 404
    assert "no longer in the bucket" in answer.get_json()["message"]


def test_a_download_has_the_name_that_was_asked_for_and_goes_on_where_it_was_cut_off(
    caller: Caller, bench: Workbench
) -> None:
    body = {**EXPORT, "options": {"file_name": "Kunden März.csv", "columns": ["external_id"]}}
    task = caller.call("POST", "/v1/tasks", body).get_json()
    run_export(bench, task["id"])
    link = caller.call("GET", f"/v1/tasks/{task['id']}/download").get_json()["download_url"]
    answer = requests.get(link, headers={"Range": "bytes=9-"}, timeout=5)
    # The status would be 206; rclone says 200.
    assert answer.content == b"id\n"
    assert "filename*=UTF-8''Kunden%20M%C3%A4rz.csv" in answer.headers["Content-Disposition"]


def test_each_file_of_an_export_that_was_cut_has_a_link(caller: Caller, bench: Workbench) -> None:
    created = create_import(caller, upload(caller, "external_id,name\nc-1,One\nc-2,Two\nc-3,Three\n"))
    run_imports(bench, created["task_id"])
    options = {"max_part_rows": 2, "columns": ["name"], "file_name": "all 1.2026.csv.gz", "compression": "gzip"}
    task = caller.call("POST", "/v1/tasks", {**EXPORT, "options": options}).get_json()
    run_export(bench, task["id"])
    found = caller.call("GET", f"/v1/tasks/{task['id']}/download").get_json()
    manifest = requests.get(found["download_url"], timeout=5).json()
    assert [{**part, "key": ""} for part in manifest["parts"]] == [
        {"key": "", **{name: file[name] for name in ("rows", "bytes", "sha256")}} for file in found["files"]
    ]
    files = [requests.get(file["download_url"], timeout=5) for file in found["files"]]
    assert sorted(b"".join(gzip.decompress(file.content)[5:] for file in files).splitlines()) == [
        b'"One"', b'"Three"', b'"Two"',
    ]  # fmt: skip
    names = [file.headers["Content-Disposition"] for file in files]
    assert [f"all 1.2026-000{number}.csv.gz" in name for number, name in enumerate(names, start=1)] == [True, True]
    bench.store.delete(manifest["parts"][0]["key"].replace("-0001.csv.gz", ".manifest.json"))
    result = caller.call("GET", f"/v1/tasks/result?workflow_id={task['id']}").get_json()
    assert (result["download_url"], result["total_records"]) == (None, 3)
    assert result["message"].startswith("task is COMPLETED; The export object is no longer in the bucket")
    gone = caller.call("GET", f"/v1/tasks/{task['id']}/download")
    assert (gone.status_code, "no longer in the bucket" in gone.get_json()["message"]) == (404, True)


def test_result_needs_a_workflow_and_knows_only_its_own(caller: Caller) -> None:
    missing = caller.call("GET", "/v1/tasks/result")
    assert (missing.status_code, missing.get_json()["message"]) == (400, "Workflow ID is required")
    unknown = caller.call("GET", "/v1/tasks/result?workflow_id=wf_x")
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "not_found")


def test_list_is_newest_first_and_says_how_many_there_are(caller: Caller) -> None:
    ids = [caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"] for _ in range(3)]
    page = caller.call("GET", "/v1/tasks?limit=2&offset=1").get_json()
    assert [task["id"] for task in page["items"]] == [ids[1], ids[0]]
    assert page["pagination"] == {"total": 3, "limit": 2, "offset": 1}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("task_type=EXPORT", 1),
        ("task_type=IMPORT", 0),
        ("entity_type=customers", 0),
        ("task_status=PENDING", 1),
        ("status=deleted", 0),
        ("start_time=2020-01-01T00:00:00Z&end_time=2020-01-02T00:00:00%2B02:00", 0),
        ("start_time=2020-01-01T00:00:00Z", 1),
        ("limit=0", 1),
        ("sort=task_status&order=asc", 1),
    ],
)
def test_list_filters(caller: Caller, query: str, found: int) -> None:
    caller.call("POST", "/v1/tasks", EXPORT)
    assert len(caller.call("GET", f"/v1/tasks?{query}").get_json()["items"]) == found


@pytest.mark.parametrize(
    "query", ["limit=x", "offset=9223372036854775808", "offset=1.5", "start_time=yesterday", "sort=error_summary"]
)
def test_list_refuses_wrong_filters(caller: Caller, query: str) -> None:
    answer = caller.call("GET", f"/v1/tasks?{query}")
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid filter parameters")
    assert query.partition("=")[0] in answer.get_json()["details"]


@pytest.mark.parametrize("states", [["FAILED"], ["PROCESSING", "FAILED", "PROCESSING"]])
def test_status_changes_that_are_allowed(caller: Caller, states: list[str]) -> None:
    task_id = caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"]
    for state in states:
        answer = caller.call("PUT", f"/v1/tasks/{task_id}/status", {"task_status": state})
        assert answer.get_json() == {"message": "task status updated successfully"}
        assert caller.call("GET", f"/v1/tasks/{task_id}").get_json()["task_status"] == state


@pytest.mark.parametrize("wanted", ["PENDING", "COMPLETED", "CANCELLED", "nonsense"])
def test_status_changes_that_are_not_allowed(caller: Caller, wanted: str) -> None:
    task_id = caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"]
    answer = caller.call("PUT", f"/v1/tasks/{task_id}/status", {"task_status": wanted})
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid status transition")
    assert answer.get_json()["details"] == {"from": "PENDING", "to": wanted}


def test_status_of_an_unknown_task_is_not_found(caller: Caller) -> None:
    answer = caller.call("PUT", "/v1/tasks/task_x/status", {"task_status": "FAILED"})
    assert (answer.status_code, answer.get_json()["message"]) == (404, "Task not found")


def test_a_task_that_was_stopped_is_not_run_until_it_is_started_again(caller: Caller, bench: Workbench) -> None:
    task_id = create_import(caller, upload(caller, CUSTOMERS))["task_id"]
    caller.call("PUT", f"/v1/tasks/{task_id}/status", {"task_status": "FAILED"})
    assert run_imports(bench, task_id) is False
    caller.call("PUT", f"/v1/tasks/{task_id}/status", {"task_status": "PROCESSING"})
    assert run_imports(bench, task_id) is True
    assert caller.call("GET", f"/v1/tasks/{task_id}").get_json()["task_status"] == TaskState.COMPLETED


@pytest.mark.parametrize("key", ["", "sk_unknown"])
def test_no_usable_key_is_unauthorized(caller: Caller, key: str) -> None:
    stranger = Caller(caller.app, key)
    for method, path in [("GET", "/v1/tasks"), ("POST", "/v1/tasks"), ("POST", "/v1/uploads")]:
        answer = stranger.call(method, path, {})
        assert (answer.status_code, answer.get_json()["error"]) == (401, "Unauthorized")


def test_reader_reads_and_does_not_write(new_caller: NewCaller) -> None:
    reader = new_caller(role=Role.READER)
    assert reader.call("GET", "/v1/tasks").status_code == 200
    answer = reader.call("POST", "/v1/tasks", EXPORT)
    assert (answer.status_code, answer.get_json()["message"]) == (403, "insufficient permissions")


@pytest.mark.parametrize("other", [("tenant_b", "env_a"), ("tenant_a", "env_b")])
def test_another_scope_sees_and_changes_nothing(caller: Caller, new_caller: NewCaller, other: tuple[str, str]) -> None:
    task = caller.call("POST", "/v1/tasks", EXPORT).get_json()
    upload_id = upload(caller, CUSTOMERS)
    stranger = new_caller(*other)
    assert stranger.call("GET", "/v1/tasks").get_json()["items"] == []
    for method, path in [
        ("GET", f"/v1/tasks/{task['id']}"),
        ("GET", f"/v1/tasks/{task['id']}/download"),
        ("GET", f"/v1/tasks/result?workflow_id={task['workflow_id']}"),
        ("PUT", f"/v1/tasks/{task['id']}/status"),
    ]:
        assert stranger.call(method, path, {"task_status": "FAILED"}).status_code == 404
    body = {"task_type": "IMPORT", "entity_type": EntityType.CUSTOMERS, "file_type": "CSV", "upload_id": upload_id}
    assert stranger.call("POST", "/v1/tasks", body).status_code == 400
    assert caller.call("GET", f"/v1/tasks/{task['id']}").get_json()["task_status"] == "PENDING"


def test_unknown_routes_and_methods_answer_json(caller: Caller) -> None:
    assert caller.call("GET", "/v1/nothing").get_json()["code"] == "not_found"
    assert caller.call("DELETE", "/v1/tasks").get_json()["code"] == "method_not_allowed"
    scheduled = caller.call("GET", "/v1/tasks/scheduled")
    assert (scheduled.status_code, scheduled.get_json()["code"]) == (501, "not_implemented")


def test_every_answer_names_its_request(caller: Caller) -> None:
    caller.headers["X-Request-ID"] = "mine"
    assert caller.call("GET", "/v1/tasks").headers["X-Request-ID"] == "mine"
    caller.headers.clear()
    assert len(caller.call("GET", "/healthz").headers["X-Request-ID"]) == 26


def test_health_and_readiness(caller: Caller, dispatcher: RecordingDispatcher) -> None:
    assert caller.call("GET", "/healthz").get_json() == {"status": "ok"}
    assert caller.call("GET", "/readyz").get_json() == {"status": "ok", "failed": []}
    dispatcher.away = True
    answer = caller.call("GET", "/readyz")
    assert (answer.status_code, answer.get_json()["failed"]) == (503, ["broker"])


def test_openapi_is_served(caller: Caller) -> None:
    document = caller.call("GET", "/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    assert "/v1/tasks/{task_id}/status" in document["paths"]
