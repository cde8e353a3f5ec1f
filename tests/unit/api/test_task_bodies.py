"""What of a task is reckoned when it is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from marshmallow import Schema

from schemas.tasks import ResultSchema, TaskSchema
from schemas.vocabulary import EntityType, Phase, Role, TaskState, TaskType
from service.access import Principal
from service.api.bodies import result_body, task_body
from service.db.models import Task
from service.tracking.counters import Counters

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRINCIPAL = Principal(1, "acme", "live", "user_x", Role.READER, "key_x")
FORMAT = {
    "layout": "ndjson", "delimiter": ",", "quote": '"', "encoding": "utf-16", "compression": "gzip",
    "file_type": "JSON",
}  # fmt: skip


def task_in(state: TaskState, **values: Any) -> Task:
    """A task of 100 rows that began at BEGAN."""
    given = {"total_records": 100, "started_at": BEGAN, "created_at": BEGAN, "updated_at": BEGAN, **values}
    return Task(
        id="task_x",
        task_type=TaskType.IMPORT,
        entity_type=EntityType.EVENTS,
        state=state,
        phase=Phase.LOADING,
        bytes_done=0,
        **given,
    )


def progress(task: Task, rows: int) -> tuple[Any, Any]:
    shown = task_body(task, Counters(created=rows), PRINCIPAL)["progress"]
    return shown["rows_per_second"], shown["eta_seconds"]


def test_a_completed_task_has_a_speed_and_nothing_to_wait_for() -> None:
    task = task_in(TaskState.COMPLETED, completed_at=BEGAN + timedelta(seconds=8))
    assert progress(task, 100) == (12.5, None)


def test_a_failed_task_has_the_speed_that_it_had() -> None:
    task = task_in(TaskState.FAILED, updated_at=BEGAN + timedelta(seconds=4))
    assert progress(task, 50) == (12.5, None)


def test_a_running_task_says_how_long_the_other_rows_will_take() -> None:
    task = task_in(TaskState.PROCESSING, started_at=datetime.now(UTC) - timedelta(seconds=100))
    rows_per_second, eta_seconds = progress(task, 50)
    assert rows_per_second == pytest.approx(0.5, abs=0.1)
    assert eta_seconds == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize(
    ("values", "rows"),
    [({}, 0), ({"started_at": None}, 10), ({"started_at": datetime(2999, 1, 1, tzinfo=UTC)}, 10)],
)
def test_a_speed_that_is_not_known_is_null(values: dict[str, Any], rows: int) -> None:
    assert progress(task_in(TaskState.PROCESSING, **values), rows) == (None, None)


def test_how_long_is_not_known_before_the_rows_are_counted() -> None:
    assert progress(task_in(TaskState.PROCESSING, total_records=None), 10)[1] is None


def test_a_source_is_shown_once_it_has_been_fetched() -> None:
    assert task_body(task_in(TaskState.PENDING), Counters(), PRINCIPAL)["source"] is None
    columns = ["event_id", "ID", "Kind", "Note", "_wharf_row", "properties.model"]
    fetched = {"source_sha256": b"\xab" * 32, "source_bytes": 9, "source_columns": columns, "source_format": FORMAT}
    options = {"mapping": {"Kind": "event_name", "Note": None}}
    task = task_in(TaskState.PROCESSING, options=options, **fetched)
    assert task_body(task, Counters(), PRINCIPAL)["source"] == {
        "format": "NDJSON", "file_type": "JSON", "compression": "gzip", "encoding": "utf-16", "delimiter": ",",
        "quote": '"', "bytes": 9, "sha256": "ab" * 32, "columns": columns, "ignored_columns": ["ID"],
    }  # fmt: skip


def test_a_source_from_before_there_were_formats_is_shown_without_one() -> None:
    task = task_in(TaskState.COMPLETED, source_sha256=b"\xab" * 32, source_bytes=9, source_columns=["id"])
    source = task_body(task, Counters(), PRINCIPAL)["source"]
    assert (source["format"], source["delimiter"], source["bytes"]) == (None, None, 9)


@pytest.mark.parametrize(
    ("state", "options", "plan_id"),
    [
        (TaskState.COMPLETED, {"dry_run": True}, "task_x"),
        (TaskState.COMPLETED, {"dry_run": False}, "task_plan"),
        (TaskState.COMPLETED, None, "task_plan"),
        (TaskState.PROCESSING, {"dry_run": True}, "task_plan"),
        (TaskState.FAILED, {"dry_run": True}, "task_plan"),
    ],
)
def test_a_dry_run_is_its_own_plan_when_it_is_completed(
    state: TaskState, options: dict[str, Any] | None, plan_id: str
) -> None:
    task = task_in(state, options=options, plan_id="task_plan")
    assert task_body(task, Counters(), PRINCIPAL)["plan_id"] == plan_id
    assert result_body(task, Counters(), "m", None)["plan_id"] == plan_id


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (TaskSchema(), task_body(task_in(TaskState.PENDING), Counters(), PRINCIPAL)),
        (ResultSchema(), result_body(task_in(TaskState.PENDING), Counters(), "m", None)),
    ],
)
def test_bodies_have_the_keys_of_their_schemas(schema: Schema, body: dict[str, Any]) -> None:
    assert set(body) == set(schema.fields)
    for name in {"progress", "counts"} & set(body):
        assert set(body[name]) == set(schema.fields[name].schema.fields)  # type: ignore[attr-defined]
