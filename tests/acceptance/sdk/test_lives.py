"""Imports and exports through every SDK, from create to the last byte: the success of each operation."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.client import download
from tests.acceptance.conftest import wait_until
from tests.acceptance.sdk.clients import Sdk
from tests.acceptance.sdk.sources import Origin, make_place, no_place

pytestmark = pytest.mark.xdist_group("stack")

IMPORT: dict[str, Any] = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
METADATA = {"batchNumber": 7, "a_b": {"cD": [1, 2.5, None, "x"]}, "none": None}
CUSTOMERS = "external_id,name\nc-1,One\nc-2,\nc-3,Três\n"


def test_a_file_is_imported_exported_and_downloaded(sdk: Sdk, origin: Origin, tmp_path: Path) -> None:
    place = make_place(sdk, origin)
    place.fill(CUSTOMERS)
    about = {"file_name": "customers.csv", "metadata": METADATA}
    created = create(sdk, **IMPORT, **place.named, **about)
    imported = finish(sdk, created)
    assert imported == {
        **a_task(created, **IMPORT, **about, file_url=place.named.get("file_url", "")),
        **ended(imported, "COMPLETED", created),
        "total_records": 3,
        "processed_records": 3,
        "successful_records": 2,
        "failed_records": 1,
        "error_summary": imported["error_summary"],
    }
    assert "Row 2 (line 3)" in imported["error_summary"]
    assert_result(sdk, imported)

    created = create(sdk, **EXPORT, **no_place(sdk))
    exported = finish(sdk, created)
    assert exported == {
        **a_task(created, **EXPORT, file_url=exported["file_url"]),
        **ended(exported, "COMPLETED", created),
        "total_records": 2,
        "processed_records": 2,
        "successful_records": 2,
    }
    assert exported["file_url"].startswith("s3://")
    assert_result(sdk, exported)
    link = sdk.call("download_task_export", id=exported["id"])
    assert list(link) == ["download_url"]
    assert rows_of(link["download_url"], tmp_path / "export.csv") == [("c-1", "One"), ("c-3", "Três")]


def test_a_failed_import_is_started_again_when_its_file_is_there(sdk: Sdk, origin: Origin) -> None:
    place = make_place(sdk, origin)
    created = create(sdk, **IMPORT, **place.named)
    failed = finish(sdk, created)
    # An upload has a name, unless the task is given another.
    source = {
        "file_url": place.named.get("file_url", ""),
        "file_name": "customers.csv" if "upload_id" in place.named else None,
    }
    assert failed == {
        **a_task(created, **IMPORT, **source),
        **ended(failed, "FAILED", created),
        "error_summary": failed["error_summary"],
    }
    assert failed["error_summary"]
    place.fill("external_id,name\nc-1,One\n")
    answer = sdk.call("update_task_status", id=failed["id"], task_status="PROCESSING")
    assert answer == {"message": "task status updated successfully"}
    completed = finish(sdk, created)
    assert completed == {
        **a_task(created, **IMPORT, **source),
        **ended(completed, "COMPLETED", created),
        "failed_at": failed["failed_at"],
        "total_records": 1,
        "processed_records": 1,
        "successful_records": 1,
    }


def test_options_and_plans_go_as_metadata(sdk: Sdk, origin: Origin) -> None:
    place = make_place(sdk, origin)
    place.fill("external_id,Full name\nc-1,One\nc-2,\n")
    options = {"dry_run": True, "mapping": {"Full name": "name"}, "constants": {"address_country": "PT"}}
    checked = finish(sdk, create(sdk, **IMPORT, **place.named, metadata={"options": options}))
    assert (checked["task_status"], checked["successful_records"], checked["failed_records"]) == ("COMPLETED", 1, 1)
    plan = {"plan_id": checked["id"]}
    nowhere: dict[str, Any] = dict.fromkeys(place.named, "")
    sdk.call("create_task", **IMPORT, **nowhere, metadata=plan)
    loaded = finish(sdk, next(task for task in sdk.call("list_tasks")["items"] if task["metadata"] == plan))
    assert (loaded["task_status"], loaded["successful_records"], loaded["failed_records"]) == ("COMPLETED", 1, 1)


def create(sdk: Sdk, **body: Any) -> dict[str, Any]:
    """CreateTask, then the task: in the answer or, where that names only the run, as ListTasks shows it."""
    answer = sdk.call("create_task", **body)
    if sdk.release.source == "file_url":
        created = sdk.release.read_task(answer)
        assert created == a_task(created, **body)
        return created
    assert answer == {
        "message": "task processing workflow started successfully",
        "workflow_id": answer["workflow_id"],
        "run_id": str(UUID(answer["run_id"])),
    }
    tasks = sdk.call("list_tasks")["items"]
    return next(sdk.release.read_task(task) for task in tasks if task["workflow_id"] == answer["workflow_id"])


def finish(sdk: Sdk, created: dict[str, Any]) -> dict[str, Any]:
    """The task when its work has ended."""
    wait_until(lambda: sdk.get_task(created["id"])["task_status"] in {"COMPLETED", "FAILED"}, 30)
    return sdk.get_task(created["id"])


def a_task(created: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """All fields of a task that waits, with the names that were made for it and what the caller gave."""
    assert created["id"].startswith("task_")
    assert created["workflow_id"].startswith("wf_TaskProcessingWorkflow_")
    assert created["tenant_id"].startswith("tenant_")
    assert created["created_by"].startswith("user_")
    assert abs(created["created_at"] - datetime.now(UTC)) < timedelta(minutes=2)
    return {
        **{name: created[name] for name in ("id", "workflow_id", "tenant_id", "created_by", "created_at")},
        "updated_by": created["created_by"],
        "updated_at": created["created_at"],
        "environment_id": "env_sdk",
        "scheduled_task_id": None,
        "file_name": None,
        "metadata": None,
        "status": "published",
        "task_status": "PENDING",
        "total_records": None,
        "processed_records": 0,
        "successful_records": 0,
        "failed_records": 0,
        "error_summary": None,
        "started_at": None,
        "completed_at": None,
        "failed_at": None,
        **fields,
    }


def ended(task: dict[str, Any], state: str, created: dict[str, Any]) -> dict[str, Any]:
    """The fields of a task that an end in this state changes, after a look at their order."""
    ended_at = f"{state.lower()}_at"
    assert created["created_at"] <= task["started_at"] <= task[ended_at] <= task["updated_at"]
    return {"task_status": state, **{name: task[name] for name in ("started_at", ended_at, "updated_at")}}


def assert_result(sdk: Sdk, task: dict[str, Any]) -> None:
    result = sdk.call("get_task_result", workflow_id=task["workflow_id"])
    assert result == {
        "message": f"task is {task['task_status']}",
        "workflow_id": task["workflow_id"],
        "run_id": str(UUID(result["run_id"])),
    }


def rows_of(link: str, path: Path) -> list[tuple[str, str]]:
    download(link, path)
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["external_id"], row["name"]) for row in csv.DictReader(file)]
