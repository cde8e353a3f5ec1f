"""Another go at a finished import: all of it, its refused rows, or a corrected upload of them."""

from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from schemas.vocabulary import Role, TaskState, TaskType
from service.db.models import Task
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.conftest import Caller, NewCaller

IMPORT = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_name": "march.csv"}
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
OPTIONS = {
    "mode": "insert", "max_errors": 5, "mapping": {"Symbol": "external_id"}, "encoding": "latin-1", "delimiter": ";",
    "atomic": True,
}  # fmt: skip
FORMAT = {"layout": "csv", "delimiter": ";", "quote": '"', "encoding": "latin-1", "compression": "none"}
KEY = "refused/rows.csv"


def new_upload(caller: Caller) -> str:
    return str(caller.call("POST", "/v1/uploads", {"file_name": "march.csv"}).get_json()["upload_id"])


def new_import(caller: Caller, bench: Workbench, **body: Any) -> str:
    """An import that is finished and has refused rows."""
    created = caller.call("POST", "/v1/tasks", {**IMPORT, "metadata": {"batch": 7}, **body}).get_json()
    task_id = str(created.get("task_id") or created["id"])
    change(bench, task_id, state=TaskState.COMPLETED, source_format=FORMAT, refused_key=KEY, source_key="sources/x/1")
    return task_id


def change(bench: Workbench, task_id: str, **values: Any) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task_id).values(**values))


@pytest.fixture
def upload_id(caller: Caller) -> str:
    return new_upload(caller)


@pytest.fixture
def task_id(caller: Caller, bench: Workbench, upload_id: str) -> str:
    return new_import(caller, bench, upload_id=upload_id, options=OPTIONS)


def retry(caller: Caller, task_id: str, **body: Any) -> TestResponse:
    return caller.call("POST", f"/v1/tasks/{task_id}/retry", body)


def child_of(bench: Workbench, answer: TestResponse) -> Task:
    assert answer.status_code == 202, answer.get_json()
    return reload(bench, Task(id=answer.get_json()["id"]))


def source_of(task: Task) -> dict[str, Any]:
    """Where a task's bytes are, and how they are to be read."""
    return {
        "file_type": task.file_type, "file_url": task.file_url, "upload_id": task.upload_id,
        "source_key": task.source_key, "plan_id": task.plan_id, "options": task.options,
    }  # fmt: skip


def refusal(answer: TestResponse) -> tuple[int, str, dict[str, Any]]:
    body = answer.get_json()
    return answer.status_code, body["message"], body["details"]


def test_a_retry_is_a_task_of_its_own(
    caller: Caller, task_id: str, dispatcher: RecordingDispatcher, bench: Workbench
) -> None:
    dispatcher.sent.clear()
    answer = retry(caller, task_id, scope="rejected")
    task = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/tasks/{task['id']}")
    assert (task["parent_task_id"], task["task_status"], task["file_name"]) == (task_id, "PENDING", "march.csv")
    assert (task["metadata"], task["created_by"]) == ({"batch": 7}, reload(bench, Task(id=task_id)).created_by)
    assert caller.call("GET", f"/v1/tasks/{task['id']}").get_json()["parent_task_id"] == task_id
    assert dispatcher.sent == [(task["id"], TaskType.IMPORT)]


def test_refused_rows_are_read_where_they_are_stored_and_as_they_are_written(
    caller: Caller, bench: Workbench, task_id: str
) -> None:
    child = child_of(bench, retry(caller, task_id, scope="rejected"))
    kept = {"mode": "insert", "max_errors": 5, "mapping": {"Symbol": "external_id"}}
    assert source_of(child) == {
        "file_type": "CSV", "file_url": "", "upload_id": None, "source_key": KEY, "plan_id": None,
        "options": {**kept, "delimiter": ";", "quote": '"', "encoding": "utf-8"},
    }  # fmt: skip


@pytest.mark.parametrize(("file_type", "layout"), [("JSON", "json"), ("NDJSON", "ndjson"), ("PARQUET", "ndjson")])
def test_refused_rows_of_other_formats_are_lines_of_json(
    caller: Caller, bench: Workbench, upload_id: str, file_type: str, layout: str
) -> None:
    task_id = new_import(caller, bench, upload_id=upload_id, file_type=file_type)
    change(bench, task_id, source_format={**FORMAT, "layout": layout})
    child = child_of(bench, retry(caller, task_id, scope="rejected"))
    assert (child.file_type, child.source_key, child.options) == ("NDJSON", KEY, {"encoding": "utf-8"})


def test_options_of_a_retry_replace_those_of_its_parent(caller: Caller, bench: Workbench, task_id: str) -> None:
    options = {"mode": "upsert", "dry_run": True, "max_errors": 0}
    child = child_of(bench, retry(caller, task_id, scope="rejected", options=options))
    dialect = {"delimiter": ";", "quote": '"', "encoding": "utf-8"}
    assert child.options == {"mapping": {"Symbol": "external_id"}, **options, **dialect}


def test_a_corrected_upload_is_imported_instead(caller: Caller, bench: Workbench, task_id: str) -> None:
    corrected = new_upload(caller)
    child = child_of(bench, retry(caller, task_id, scope="rejected", upload_id=corrected, options={"atomic": False}))
    assert source_of(child) == {
        "file_type": "CSV", "file_url": "", "upload_id": corrected,
        "source_key": f"uploads/tenant_a/env_a/{corrected}", "plan_id": None,
        "options": {"mode": "insert", "max_errors": 5, "mapping": {"Symbol": "external_id"}, "atomic": False},
    }  # fmt: skip


def test_a_corrected_upload_does_for_a_task_without_refused_rows(
    caller: Caller, bench: Workbench, task_id: str
) -> None:
    change(bench, task_id, refused_key=None)
    told = {"scope": ["The task has no refused rows; use all, or name an upload_id."]}
    assert refusal(retry(caller, task_id, scope="rejected")) == (400, "This task cannot be retried", told)
    assert retry(caller, task_id, scope="rejected", upload_id=new_upload(caller)).status_code == 202


@pytest.mark.parametrize(
    ("options", "state", "told"),
    [
        (
            {"atomic": True},
            TaskState.FAILED,
            "No row of the task went in; use all, or create a task with the whole file, mended.",
        ),
        (
            {"dry_run": True},
            TaskState.COMPLETED,
            "The task was a dry run, which writes no row; load its plan_id, or create a task with the mended file.",
        ),
    ],
)
def test_where_no_row_went_in_the_refused_ones_alone_are_not_retried(
    caller: Caller, bench: Workbench, task_id: str, options: dict[str, Any], state: TaskState, told: str
) -> None:
    failed = {"error_summary": "x"} if state is TaskState.FAILED else {}
    change(bench, task_id, options=options, state=state, **failed)
    for corrected in (None, new_upload(caller)):
        answer = retry(caller, task_id, scope="rejected", upload_id=corrected)
        assert refusal(answer) == (400, "This task cannot be retried", {"scope": [told]})


def test_of_an_atomic_import_that_was_completed_refused_rows_are_retried(
    caller: Caller, bench: Workbench, task_id: str
) -> None:
    change(bench, task_id, options={"atomic": True, "max_errors": 5})
    assert retry(caller, task_id, scope="rejected").status_code == 202


def test_all_of_an_upload_is_read_again(caller: Caller, bench: Workbench, task_id: str, upload_id: str) -> None:
    child = child_of(bench, retry(caller, task_id, scope="all", options={"max_errors": 9}))
    assert source_of(child) == {
        "file_type": "CSV", "file_url": "", "upload_id": upload_id,
        "source_key": f"uploads/tenant_a/env_a/{upload_id}", "plan_id": None, "options": {**OPTIONS, "max_errors": 9},
    }  # fmt: skip


def test_all_of_a_link_is_read_again(caller: Caller, bench: Workbench, task_id: str) -> None:
    change(bench, task_id, file_url="https://files.example.com/march.csv", upload_id=None, state=TaskState.FAILED,
           error_summary="x")  # fmt: skip
    child = child_of(bench, retry(caller, task_id, scope="all"))
    assert (child.file_url, child.upload_id, child.source_key) == ("https://files.example.com/march.csv", None, None)


def test_all_of_a_plan_is_read_again(caller: Caller, bench: Workbench, upload_id: str) -> None:
    plan_id = new_import(caller, bench, upload_id=upload_id, options={"dry_run": True})
    task_id = new_import(caller, bench, plan_id=plan_id)
    child = child_of(bench, retry(caller, task_id, scope="all"))
    assert (child.plan_id, child.upload_id, child.source_key, child.options) == (plan_id, upload_id, None, None)


def test_all_of_a_retry_is_read_again(caller: Caller, bench: Workbench, task_id: str) -> None:
    child = child_of(bench, retry(caller, task_id, scope="rejected"))
    change(bench, child.id, state=TaskState.COMPLETED)
    grandchild = child_of(bench, retry(caller, child.id, scope="all"))
    assert source_of(grandchild) == source_of(child)
    assert grandchild.parent_task_id == child.id


def test_a_retry_is_done_once_for_each_key(
    caller: Caller, bench: Workbench, task_id: str, dispatcher: RecordingDispatcher
) -> None:
    caller.headers["Idempotency-Key"] = "once"
    dispatcher.sent.clear()
    first, again = (retry(caller, task_id, scope="rejected") for _ in range(2))
    assert (first.data, again.headers["Idempotent-Replayed"]) == (again.data, "true")
    assert dispatcher.sent == [(first.get_json()["id"], TaskType.IMPORT)]
    assert retry(caller, task_id, scope="all").status_code == 409
    other = new_import(replaced(caller), bench, upload_id=new_upload(replaced(caller)))
    assert retry(caller, other, scope="rejected").status_code == 409


def replaced(caller: Caller) -> Caller:
    """The same caller without a key of its request."""
    return Caller(caller.app, caller.key)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"scope": ["Missing data for required field."]}),
        ({"scope": "some"}, {"scope": ["'some' is not one of all, rejected."]}),
        (
            {"scope": "all", "upload_id": "upload_x"},
            {"upload_id": ["All is read from the same source again; create a new task to import another file."]},
        ),
        ({"scope": "all", "options": {"mode": "x"}}, {"options.mode": ["'x' is not one of insert, update, upsert."]}),
        ({"scope": "all", "options": [1]}, {"options": ["Must be an object with an option under each name."]}),
        (
            {"scope": "rejected", "options": {"delimiter": "|"}},
            {"options.delimiter": ["The refused rows are stored as they are; leave it out."]},
        ),
    ],
)
def test_a_wrong_retry_is_told_what_is_wrong(
    caller: Caller, task_id: str, body: dict[str, Any], details: dict[str, Any]
) -> None:
    assert refusal(retry(caller, task_id, **body)) == (400, "Invalid request format", details)


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.PROCESSING])
def test_a_task_that_is_not_finished_cannot_be_retried(
    caller: Caller, bench: Workbench, task_id: str, state: TaskState
) -> None:
    change(bench, task_id, state=state)
    told = {"task_status": state, "remedy": "wait until it is COMPLETED or FAILED"}
    assert refusal(retry(caller, task_id, scope="all")) == (400, "This task cannot be retried", told)


def test_an_export_cannot_be_retried(caller: Caller) -> None:
    task_id = caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"]
    told = {"task_type": "EXPORT", "remedy": "create the export again"}
    assert refusal(retry(caller, task_id, scope="all")) == (400, "This task cannot be retried", told)


def test_an_upload_of_another_scope_is_as_unknown_as_none(caller: Caller, new_caller: NewCaller, task_id: str) -> None:
    for upload_id in (new_upload(new_caller("tenant_b", "env_a")), "upload_none"):
        answer = retry(caller, task_id, scope="rejected", upload_id=upload_id)
        told = {"upload_id": [f"{upload_id!r} is unknown; get one from POST /v1/uploads."]}
        assert refusal(answer) == (400, "invalid upload_id", told)


def test_only_writers_retry_their_own_tasks(caller: Caller, new_caller: NewCaller, task_id: str) -> None:
    assert retry(Caller(caller.app, ""), task_id, scope="all").status_code == 401
    assert retry(new_caller(role=Role.READER), task_id, scope="all").status_code == 403
    for stranger, asked in ((new_caller("tenant_b", "env_a"), task_id), (caller, "task_none")):
        assert refusal(retry(stranger, asked, scope="all")) == (404, "Task not found", {"task_id": asked})
