"""One page of a scope's tasks."""

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.db.models import Task
from service.errors import ValidationError

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000

_SORTABLE: dict[str, InstrumentedAttribute[Any]] = {
    column.key: column
    for column in (
        Task.created_at,
        Task.updated_at,
        Task.started_at,
        Task.completed_at,
        Task.failed_at,
        Task.id,
        Task.task_type,
        Task.entity_type,
        Task.file_type,
        Task.file_name,
        Task.total_records,
    )
} | {"task_status": Task.state}

_EXACT: dict[str, InstrumentedAttribute[Any]] = {
    "status": Task.status,
    "task_type": Task.task_type,
    "entity_type": Task.entity_type,
    "task_status": Task.state,
    "scheduled_task_id": Task.scheduled_task_id,
    "created_by": Task.created_by,
}


def list_tasks(session: Session, scope_id: int, wanted: dict[str, Any]) -> tuple[list[Task], dict[str, int]]:
    """The tasks that the filter wants, in a total order, and which part of all matches they are.

    Raises ValidationError for a column that cannot be sorted by.
    """
    matches = [Task.scope_id == scope_id, *_conditions(wanted)]
    limit = min(wanted["limit"], MAX_LIMIT) if wanted["limit"] > 0 else DEFAULT_LIMIT
    tasks = session.scalars(
        select(Task).where(*matches).order_by(*_order(wanted)).limit(limit).offset(max(wanted["offset"], 0))
    ).all()
    total = session.scalar(select(func.count()).select_from(Task).where(*matches)) or 0
    return list(tasks), {"total": total, "limit": limit, "offset": wanted["offset"]}


def _conditions(wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    conditions = [column == wanted[name] for name, column in _EXACT.items() if wanted[name] is not None]
    if wanted["start_time"]:
        conditions.append(Task.created_at >= wanted["start_time"])
    if wanted["end_time"]:
        conditions.append(Task.created_at <= wanted["end_time"])
    return conditions


def _order(wanted: dict[str, Any]) -> list[ColumnElement[Any]]:
    """The wanted column, then the id, so that no two pages can overlap."""
    column = _SORTABLE.get(wanted["sort"])
    if column is None:
        message = "Invalid filter parameters"
        raise ValidationError(
            message,
            sort=[f"Not a column to sort by; use one of {', '.join(sorted(_SORTABLE))}."],
        )
    if wanted["order"] == "asc":
        return [column.asc(), Task.id.asc()]
    return [column.desc(), Task.id.desc()]
