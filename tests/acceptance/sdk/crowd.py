"""A tenant with 250 tasks of every kind, an hour apart, as rows: lists are tested on them, workers leave them alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from schemas.vocabulary import EntityType, FileType, RowStatus, TaskState, TaskType
from service.access import ensure_scope
from service.db.models import Task
from service.db.session import make_engine, make_sessions

TENANT, ENVIRONMENT = "tenant_crowd", "env_crowd"
SIZE = 250

_START = datetime(2026, 3, 1, tzinfo=UTC)
_TASK_TYPES = [TaskType.IMPORT, TaskType.EXPORT]
_STATES = [TaskState.PENDING, TaskState.PROCESSING, TaskState.COMPLETED, TaskState.FAILED]
_PLAIN = (
    "id",
    "task_type",
    "entity_type",
    "workflow_id",
    "file_url",
    "file_name",
    "file_type",
    "total_records",
    "error_summary",
    "started_at",
    "completed_at",
    "failed_at",
    "status",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def shown_task(number: int, status: RowStatus = RowStatus.PUBLISHED) -> dict[str, Any]:
    """The task of a number as an SDK shows it, moments as datetimes.

    Kinds, states and users alternate at different speeds, so that all combinations occur.
    """
    task_type = _TASK_TYPES[number % 2]
    state = _STATES[number // 8 % 4]
    completed, failed = state is TaskState.COMPLETED, state is TaskState.FAILED
    created_at = _START + timedelta(hours=number, microseconds=number)
    ended_at = created_at + timedelta(minutes=1)
    return {
        "id": f"task_{number:026}",
        "task_type": task_type,
        "entity_type": list(EntityType)[number // 2 % 4],
        "scheduled_task_id": None,
        "workflow_id": f"wf_TaskProcessingWorkflow_{number:026}",
        "file_url": f"s3://exports/{number}.csv" if completed and task_type is TaskType.EXPORT else "",
        # Another order than that of the numbers.
        "file_name": f"{number * 37 % SIZE:03}.csv",
        "file_type": FileType.CSV,
        "task_status": state,
        "total_records": 10 if completed else None,
        "processed_records": 10 if completed else 0,
        "successful_records": 7 if completed else 0,
        "failed_records": 3 if completed else 0,
        "error_summary": "The file has no header" if failed else None,
        "metadata": {"Number": number, "tags": ["a_b", {"cD": None}]} if number % 3 else None,
        "started_at": None if state is TaskState.PENDING else created_at + timedelta(seconds=1),
        "completed_at": ended_at if completed else None,
        "failed_at": ended_at if failed else None,
        "environment_id": ENVIRONMENT,
        "tenant_id": TENANT,
        "status": status,
        "created_at": created_at,
        "updated_at": ended_at,
        "created_by": f"user_{number // 32 % 2}",
        "updated_by": "",
    }


def _row(shown: dict[str, Any], scope_id: int) -> dict[str, Any]:
    """A task as it is stored."""
    return {
        **{name: shown[name] for name in _PLAIN},
        "scope_id": scope_id,
        "state": shown["task_status"],
        "metadata_": shown["metadata"],
        "created_records": shown["successful_records"],
        "rejected_records": shown["failed_records"],
        "run_id": f"run_of_{shown['id']}",
        "final_attempt": 1,
        "due_at": _NEVER,
    }


CROWD = [shown_task(number) for number in range(SIZE)]
#: Tasks that a list shows only when their row's status is asked for.
HIDDEN = [shown_task(SIZE, RowStatus.DELETED), shown_task(SIZE + 1, RowStatus.ARCHIVED)]


def pick(**wanted: str) -> dict[str, Any]:
    """The first task of the crowd with these values."""
    return next(task for task in CROWD if all(task[name] == value for name, value in wanted.items()))


def store_crowd(database_url: str) -> None:
    """Write all rows."""
    engine = make_engine(database_url, "wharf-test")
    with make_sessions(engine).begin() as session:
        scope_id = ensure_scope(session, TENANT, ENVIRONMENT).id
        session.execute(insert(Task), [_row(task, scope_id) for task in CROWD + HIDDEN])
    engine.dispose()
