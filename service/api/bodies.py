"""Bodies as they go over the wire, every key in its place.

They are not dumped by the schemas of `schemas.tasks`, which describe them: that would take half of the time of a list.
A test holds that both agree.
"""

from datetime import UTC, datetime
from typing import Any

from flask import url_for

from schemas.base import format_instant
from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType, TaskState
from service.access import Principal
from service.db.models import Task
from service.imports.formats.header import OWN_PREFIX, effective_names
from service.tracking.counters import Counters, outcome_of


def task_body(task: Task, counters: Counters, principal: Principal) -> dict[str, Any]:
    """Every key of a task, as TaskSchema describes them."""
    return {
        "id": task.id,
        "task_type": task.task_type,
        "entity_type": task.entity_type,
        "scheduled_task_id": task.scheduled_task_id,
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "file_url": task.file_url,
        "file_name": task.file_name,
        "file_type": task.file_type,
        "task_status": task.state,
        "outcome": outcome_of(task),
        "progress": _progress(task, counters),
        "counts": _counts(counters),
        "total_records": task.total_records,
        "processed_records": counters.processed,
        "successful_records": counters.successful,
        "failed_records": counters.rejected,
        "error_code": task.error_code,
        "error_summary": task.error_summary,
        "metadata": task.metadata_,
        "options": task.options,
        "plan_id": _plan_id(task),
        "parent_task_id": task.parent_task_id,
        "source": _source(task),
        "destination_url": task.destination_url,
        "manifest": task.object_manifest,
        "attempt": task.attempt,
        "started_at": _instant(task.started_at),
        "completed_at": _instant(task.completed_at),
        "failed_at": _instant(task.failed_at),
        "environment_id": principal.environment_id,
        "tenant_id": principal.tenant_id,
        "status": task.status,
        "created_at": _instant(task.created_at),
        "updated_at": _instant(task.updated_at),
        "created_by": task.created_by,
        "updated_by": task.updated_by,
    }


def created_headers(task: Task) -> dict[str, str]:
    """Where a new task is read, and after how many seconds that is worth a try."""
    return {"Location": url_for("tasks.get_task", task_id=task.id), "Retry-After": "1"}


def result_body(task: Task, counters: Counters, message: str, download_url: str | None) -> dict[str, Any]:
    """What a task came to, as ResultSchema describes it."""
    return {
        **run_body(task, message),
        "task_status": task.state,
        "total_records": task.total_records,
        "processed_records": counters.processed,
        "successful_records": counters.successful,
        "failed_records": counters.rejected,
        "file_url": task.file_url,
        "error_summary": task.error_summary,
        "plan_id": _plan_id(task),
        "download_url": download_url,
    }


def run_body(task: Task, message: str) -> dict[str, Any]:
    """The run of a task, as WorkflowSchema describes it."""
    return {"message": message, "workflow_id": task.workflow_id, "run_id": task.run_id, "task_id": task.id}


def _counts(counters: Counters) -> dict[str, int]:
    return {
        "created": counters.created,
        "updated": counters.updated,
        "skipped": counters.skipped,
        "rejected": counters.rejected,
    }


def _progress(task: Task, counters: Counters) -> dict[str, Any]:
    rows_per_second = _rows_per_second(task, counters)
    return {
        "phase": task.phase,
        "bytes_done": task.bytes_done,
        "bytes_total": task.source_bytes,
        "rows_done": counters.processed,
        "rows_total": task.total_records,
        "percent": _percent(task, counters),
        "rows_per_second": rows_per_second,
        "eta_seconds": _eta_seconds(task, counters, rows_per_second),
    }


def _rows_per_second(task: Task, counters: Counters) -> float | None:
    began, processed = task.started_at, counters.processed
    if began is None or not processed:
        return None
    seconds = (_ended(task) - began).total_seconds()
    return round(processed / seconds, 1) if seconds > 0 else None


def _ended(task: Task) -> datetime:
    """When the work ended, or now."""
    match task.state:
        case TaskState.COMPLETED:
            return task.completed_at or task.updated_at
        case TaskState.PROCESSING:
            return datetime.now(UTC)
        case _:
            return task.updated_at


def _eta_seconds(task: Task, counters: Counters, rows_per_second: float | None) -> float | None:
    if not rows_per_second or task.state != TaskState.PROCESSING or task.total_records is None:
        return None
    return round(max(task.total_records - counters.processed, 0) / rows_per_second, 1)


def _plan_id(task: Task) -> str | None:
    """A dry run that is done is a plan; another task may load one."""
    options = task.options
    is_plan = options is not None and options.get("dry_run") and task.state == TaskState.COMPLETED
    return task.id if is_plan else task.plan_id


def _source(task: Task) -> dict[str, Any] | None:
    """What the fetch found out; None before it."""
    if task.source_sha256 is None:
        return None
    found = task.source_format or {}
    return {
        "format": found["layout"].upper() if "layout" in found else None,
        "file_type": found.get("file_type"),
        "compression": found.get("compression"),
        "encoding": found.get("encoding"),
        "delimiter": found.get("delimiter"),
        "quote": found.get("quote"),
        "bytes": task.source_bytes,
        "sha256": task.source_sha256.hex(),
        "columns": task.source_columns,
        "ignored_columns": _ignored_columns(task),
    }


def _ignored_columns(task: Task) -> list[str]:
    """Columns of the header that nothing is made of; mapped to null they are meant to be."""
    mapping = (task.options or {}).get("mapping", {})
    schema = ENTITIES[EntityType(task.entity_type)].schema
    columns = task.source_columns or []
    stand_for = effective_names(columns, mapping)
    named = zip(columns, stand_for, strict=True)
    unknown = [name for name, meant in named if not (meant and schema.knows(meant))]
    return [name for name in unknown if name not in mapping and not name.startswith(OWN_PREFIX)]


def _percent(task: Task, counters: Counters) -> float | None:
    if task.state == TaskState.COMPLETED:
        return 100.0
    if not task.total_records:
        return None
    return round(100.0 * counters.processed / task.total_records, 1)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)
