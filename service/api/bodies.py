"""Tasks as the API shows them."""

from typing import Any

from schemas.vocabulary import TaskState
from service.access import Principal
from service.db.models import Task
from service.tracking.counters import Counters, outcome_of

_PLAIN = (
    "id",
    "task_type",
    "entity_type",
    "scheduled_task_id",
    "workflow_id",
    "run_id",
    "file_url",
    "file_name",
    "file_type",
    "total_records",
    "error_code",
    "error_summary",
    "attempt",
    "started_at",
    "completed_at",
    "failed_at",
    "status",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
)


def task_body(task: Task, counters: Counters, principal: Principal) -> dict[str, Any]:
    """Every key of a task, for TaskSchema to write."""
    return {
        **{key: getattr(task, key) for key in _PLAIN},
        **_record_counts(counters),
        "task_status": TaskState(task.state),
        "outcome": outcome_of(task),
        "progress": _progress(task, counters),
        "counts": {
            "created": counters.created,
            "updated": counters.updated,
            "skipped": counters.skipped,
            "rejected": counters.rejected,
        },
        "metadata": task.metadata_,
        "manifest": task.object_manifest,
        "environment_id": principal.environment_id,
        "tenant_id": principal.tenant_id,
    }


def result_body(task: Task, counters: Counters, message: str, download_url: str | None) -> dict[str, Any]:
    """What a task came to, for ResultSchema to write."""
    return {
        **run_body(task, message),
        **_record_counts(counters),
        "task_status": TaskState(task.state),
        "total_records": task.total_records,
        "file_url": task.file_url,
        "error_summary": task.error_summary,
        "download_url": download_url,
    }


def run_body(task: Task, message: str) -> dict[str, Any]:
    """The run of a task, for WorkflowSchema to write."""
    return {
        "message": message,
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "task_id": task.id,
    }


def _record_counts(counters: Counters) -> dict[str, int]:
    return {
        "processed_records": counters.processed,
        "successful_records": counters.successful,
        "failed_records": counters.rejected,
    }


def _progress(task: Task, counters: Counters) -> dict[str, Any]:
    return {
        "phase": task.phase,
        "bytes_done": task.bytes_done,
        "bytes_total": task.source_bytes,
        "rows_done": counters.processed,
        "rows_total": task.total_records,
        "percent": _percent(task, counters),
    }


def _percent(task: Task, counters: Counters) -> float | None:
    if task.state == TaskState.COMPLETED:
        return 100.0
    if not task.total_records:
        return None
    return round(100.0 * counters.processed / task.total_records, 1)
