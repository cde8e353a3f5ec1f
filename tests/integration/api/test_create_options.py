"""Options, formats and plans of a new task."""

from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from schemas.vocabulary import TaskState, TaskType
from service.db.models import Task
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.conftest import Caller, NewCaller

IMPORT = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
OPTIONS = {"mode": "insert", "max_errors": 5, "mapping": {"Symbol": "external_id", "Founded": None}}


@pytest.fixture
def upload_id(caller: Caller) -> str:
    return str(caller.call("POST", "/v1/uploads", {"file_name": "customers.csv"}).get_json()["upload_id"])


def create(caller: Caller, **body: Any) -> TestResponse:
    return caller.call("POST", "/v1/tasks", {**IMPORT, **body})


def read(caller: Caller, task_id: str) -> dict[str, Any]:
    task: dict[str, Any] = caller.call("GET", f"/v1/tasks/{task_id}").get_json()
    return task


def refusal(answer: TestResponse) -> tuple[int, str, dict[str, Any]]:
    body = answer.get_json()
    return answer.status_code, body["message"], body["details"]


@pytest.fixture
def plan_id(caller: Caller, bench: Workbench, upload_id: str) -> str:
    """A dry run that has been completed."""
    options = {**OPTIONS, "dry_run": True, "delimiter": ";"}
    task_id = create(caller, upload_id=upload_id, file_name="march.csv", options=options).get_json()["task_id"]
    finish(bench, task_id)
    return str(task_id)


def finish(bench: Workbench, task_id: str, state: TaskState = TaskState.COMPLETED) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task_id).values(state=state, error_summary="x"))


def test_options_are_kept_as_they_were_given(caller: Caller, upload_id: str) -> None:
    task_id = create(caller, upload_id=upload_id, options={**OPTIONS, "quote": None}).get_json()["task_id"]
    task = read(caller, task_id)
    assert (task["options"], task["metadata"], task["plan_id"], task["parent_task_id"]) == (OPTIONS, None, None, None)


@pytest.mark.parametrize("options", [None, {}, {"mode": None}])
def test_no_options_are_null(caller: Caller, upload_id: str, options: object) -> None:
    task_id = create(caller, upload_id=upload_id, options=options).get_json()["task_id"]
    assert read(caller, task_id)["options"] is None


def test_options_may_be_given_as_metadata_which_is_kept(caller: Caller, upload_id: str) -> None:
    metadata = {"options": OPTIONS, "requested_by": "ops"}
    task_id = create(caller, upload_id=upload_id, metadata=metadata).get_json()["task_id"]
    task = read(caller, task_id)
    assert (task["options"], task["metadata"]) == (OPTIONS, metadata)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"options": {"mode": "replace"}}, {"options.mode": ["'replace' is not one of insert, update, upsert."]}),
        (
            {"metadata": {"options": {"max_errors": -1}}},
            {"metadata.options.max_errors": ["-1 is not a whole number from 0 to 9223372036854775807."]},
        ),
        (
            {"options": {"mode": "insert"}, "metadata": {"options": {"mode": "insert"}}},
            {"options": ["Give either options or metadata.options, not both."]},
        ),
        ({"options": ["dry_run"]}, {"options": ["Must be an object with an option under each name."]}),
        (
            {"metadata": {"options": "dry_run"}},
            {"metadata.options": ["Must be an object with an option under each name."]},
        ),
        (
            {"options": {"delimiter": ";"}, "file_type": "JSON"},
            {"options.delimiter": ["It is for CSV only; leave it out for JSON."]},
        ),
        (
            {"options": {"mode": "upsert"}, "entity_type": "EVENTS"},
            {"options.mode": ["'upsert' does not go with EVENTS, which are only ever added; use insert."]},
        ),
    ],
)
def test_a_wrong_option_is_named_where_it_stands(
    caller: Caller, upload_id: str, body: dict[str, Any], details: dict[str, Any]
) -> None:
    assert refusal(create(caller, upload_id=upload_id, **body)) == (400, "Invalid request format", details)


def test_every_wrong_option_is_told_at_once(caller: Caller, upload_id: str) -> None:
    _, _, details = refusal(create(caller, upload_id=upload_id, options={"dryrun": True, "atomic": "yes"}))
    assert list(details) == ["options.atomic", "options.dryrun"]
    assert details["options.dryrun"][0].startswith("There is no such option; there are mode, on_error, ")


@pytest.mark.parametrize("place", ["options", "metadata"])
def test_an_export_takes_its_own_options_and_no_others(caller: Caller, place: str) -> None:
    def body(options: dict[str, Any]) -> dict[str, Any]:
        return {**EXPORT, **({"options": options} if place == "options" else {"metadata": {"options": options}})}

    where = "options" if place == "options" else "metadata.options"
    _, message, details = refusal(caller.call("POST", "/v1/tasks", body({"dry_run": True, "columns": ["surname"]})))
    assert (message, list(details)) == ("Invalid request format", [f"{where}.dry_run"])
    assert details[f"{where}.dry_run"][0].startswith("There is no such option of an EXPORT; there are columns, ")
    taken = caller.call("POST", "/v1/tasks", body({"columns": ["name"], "compression": "gzip", "start_time": None}))
    assert (taken.status_code, taken.get_json()["options"]) == (202, {"columns": ["name"], "compression": "gzip"})
    assert caller.call("POST", "/v1/tasks", {**EXPORT, "options": {}}).status_code == 202


@pytest.mark.parametrize("file_type", ["CSV", "JSON", "NDJSON", "PARQUET"])
def test_imports_and_exports_take_every_format(caller: Caller, upload_id: str, file_type: str) -> None:
    answer = create(caller, upload_id=upload_id, file_type=file_type)
    assert (answer.status_code, read(caller, answer.get_json()["task_id"])["file_type"]) == (200, file_type)
    exported = caller.call("POST", "/v1/tasks", {**EXPORT, "file_type": file_type})
    assert (exported.status_code, exported.get_json()["file_type"]) == (202, file_type)


def test_an_import_of_a_plan_has_its_source_and_options(
    caller: Caller, plan_id: str, upload_id: str, dispatcher: RecordingDispatcher, bench: Workbench
) -> None:
    dispatcher.sent.clear()
    answer = create(caller, plan_id=plan_id)
    task = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/tasks/{task['id']}")
    assert (task["plan_id"], task["options"]) == (plan_id, {**OPTIONS, "delimiter": ";"})
    assert (task["file_type"], task["file_url"], task["file_name"]) == ("CSV", "", "march.csv")
    assert dispatcher.sent == [(task["id"], TaskType.IMPORT)]
    with bench.sessions() as session:
        stored = session.execute(select(Task.upload_id, Task.source_key).where(Task.id == task["id"])).one()
    assert tuple(stored) == (upload_id, None)


def test_options_given_with_a_plan_replace_those_of_the_plan(caller: Caller, plan_id: str) -> None:
    options = {"mode": "upsert", "atomic": True, "delimiter": ";"}
    task = create(caller, plan_id=plan_id, options=options, file_name="other.csv").get_json()
    assert task["options"] == {**OPTIONS, "mode": "upsert", "atomic": True, "delimiter": ";"}
    assert task["file_name"] == "other.csv"


def test_a_plan_may_be_named_in_the_metadata(caller: Caller, plan_id: str) -> None:
    task = create(caller, file_url="", metadata={"plan_id": plan_id}).get_json()
    assert (task["plan_id"], task["metadata"]) == (plan_id, {"plan_id": plan_id})


def test_a_client_that_cannot_leave_the_upload_out_is_answered_with_the_run(caller: Caller, plan_id: str) -> None:
    answer = create(caller, upload_id="", file_provider="csvbox", metadata={"plan_id": plan_id})
    assert (answer.status_code, list(answer.get_json())) == (200, ["message", "workflow_id", "run_id", "task_id"])
    assert read(caller, answer.get_json()["task_id"])["plan_id"] == plan_id
    assert create(caller, file_url="", upload_id="", plan_id=plan_id).status_code == 202


def test_a_plan_in_the_metadata_is_the_caller_s_own_where_the_source_is_named(caller: Caller, upload_id: str) -> None:
    answer = create(caller, upload_id=upload_id, metadata={"plan_id": "gold"})
    assert answer.status_code == 200
    assert read(caller, answer.get_json()["task_id"])["plan_id"] is None
    assert caller.call("POST", "/v1/tasks", {**EXPORT, "metadata": {"plan_id": 7}}).status_code == 202


def test_a_dry_run_is_a_plan_once_it_is_completed(caller: Caller, bench: Workbench, upload_id: str) -> None:
    task_id = create(caller, upload_id=upload_id, options={"dry_run": True}).get_json()["task_id"]
    assert read(caller, task_id)["plan_id"] is None
    finish(bench, task_id)
    assert read(caller, task_id)["plan_id"] == task_id
    result = caller.call("GET", f"/v1/tasks/result?workflow_id={task_id}").get_json()
    assert result["plan_id"] == task_id


def test_a_plan_may_be_checked_again_with_other_options(caller: Caller, bench: Workbench, plan_id: str) -> None:
    task = create(caller, plan_id=plan_id, options={"dry_run": True}).get_json()
    assert (task["plan_id"], task["options"]["dry_run"]) == (plan_id, True)
    finish(bench, task["id"])
    assert read(caller, task["id"])["plan_id"] == task["id"]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"upload_id": "upload_x"}, {"upload_id": ["Give either upload_id or plan_id, not both."]}),
        ({"file_url": "https://a.example/b.csv"}, {"file_url": ["Give either file_url or plan_id, not both."]}),
        (
            {"options": {"delimiter": ","}},
            {"options.delimiter": ["The dry run has read the bytes in its own way; leave it out."]},
        ),
        (
            {"options": {"encoding": "latin-1"}},
            {"options.encoding": ["The dry run has read the bytes in its own way; leave it out."]},
        ),
    ],
)
def test_what_does_not_go_with_a_plan_is_refused(
    caller: Caller, plan_id: str, body: dict[str, Any], details: dict[str, Any]
) -> None:
    assert refusal(create(caller, plan_id=plan_id, **body)) == (400, "Invalid request format", details)


@pytest.mark.parametrize(
    ("name", "asked", "checked"), [("entity_type", "EVENTS", "CUSTOMERS"), ("file_type", "JSON", "CSV")]
)
def test_a_plan_is_loaded_as_what_it_was_checked_for(
    caller: Caller, plan_id: str, name: str, asked: str, checked: str
) -> None:
    told = f"The dry run {plan_id!r} was about {checked}, not {asked}; send {checked}, or another plan."
    assert refusal(create(caller, plan_id=plan_id, **{name: asked})) == (400, "invalid plan_id", {name: [told]})


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.FAILED])
def test_a_dry_run_that_is_not_completed_is_no_plan(
    caller: Caller, bench: Workbench, plan_id: str, state: TaskState
) -> None:
    finish(bench, plan_id, state)
    told = f"The dry run {plan_id!r} is {state}; it can be loaded when it is COMPLETED."
    assert refusal(create(caller, plan_id=plan_id)) == (400, "invalid plan_id", {"plan_id": [told]})


def test_another_import_and_an_export_are_no_plans(caller: Caller, bench: Workbench, upload_id: str) -> None:
    imported = create(caller, upload_id=upload_id).get_json()["task_id"]
    exported = caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"]
    finish(bench, imported)
    for task_id in (imported, exported):
        told = f"{task_id!r} was no dry run; create a task with the option dry_run, and name its plan_id."
        assert refusal(create(caller, plan_id=task_id)) == (400, "invalid plan_id", {"plan_id": [told]})


@pytest.mark.parametrize("other", [("tenant_b", "env_a"), ("tenant_a", "env_b")])
def test_a_plan_of_another_scope_is_as_unknown_as_none(
    caller: Caller, new_caller: NewCaller, plan_id: str, other: tuple[str, str]
) -> None:
    for asked in (plan_id, "task_none"):
        told = f"{asked!r} is unknown; create a task with the option dry_run, and name its plan_id."
        answer = create(new_caller(*other), plan_id=asked)
        assert refusal(answer) == (400, "invalid plan_id", {"plan_id": [told]})


def test_an_export_of_a_plan_is_refused(caller: Caller, plan_id: str) -> None:
    told = {"plan_id": ["A plan is loaded by an IMPORT; leave plan_id out."]}
    answer = caller.call("POST", "/v1/tasks", {**EXPORT, "plan_id": plan_id})
    assert refusal(answer) == (400, "Invalid request format", told)


def test_a_plan_in_the_metadata_must_be_a_text(caller: Caller) -> None:
    told = {"metadata.plan_id": ["Must be a text: the plan_id of a dry run."]}
    assert refusal(create(caller, metadata={"plan_id": 7})) == (400, "Invalid request format", told)
