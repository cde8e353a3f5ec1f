"""One page of a scope's tasks, and how many there are: counted from kept counts, see docs/adr/0008-totals.md."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from schemas.tasks import SORTABLE
from service.api.slices import Slice, Span, edges, find_page, slice_days, span_between, whole_days
from service.db.models import Task
from service.errors import ValidationError
from service.tracking.task_counts import count_tasks_by_day

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000

#: Each key that can be sorted by, with its column.
_SORTABLE: dict[str, InstrumentedAttribute[Any]] = {
    key: getattr(Task, "state" if key == "task_status" else key) for key in SORTABLE
}

#: Filters by equality, each with the column of a task that it means.
_EXACT = {
    "status": "status",
    "task_type": "task_type",
    "entity_type": "entity_type",
    "task_status": "state",
    "scheduled_task_id": "scheduled_task_id",
    "created_by": "created_by",
}


def list_tasks(session: Session, scope_id: int, wanted: dict[str, Any]) -> tuple[list[Task], dict[str, int]]:
    """The tasks that the filter wants, in a total order, and which part of all matches they are.

    It is the first use of its session: page and total are of one snapshot. Raises ValidationError for a column that
    cannot be sorted by.
    """
    order = _order(wanted)
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    alike = {column: wanted[name] for name, column in _EXACT.items() if wanted[name]}
    span = span_between(wanted["start_time"], wanted["end_time"])
    slices = _count(session, scope_id, alike, span)
    limit = min(wanted["limit"], MAX_LIMIT) if wanted["limit"] > 0 else DEFAULT_LIMIT
    pagination = {"total": sum(piece.rows for piece in slices), "limit": limit, "offset": wanted["offset"]}
    spans: tuple[Span, ...] = (span,)
    skipped = max(wanted["offset"], 0)
    if wanted["sort"] == Task.created_at.key:
        page = find_page(slices if wanted["order"] == "asc" else reversed(slices), skipped, limit)
        if page is None:
            return [], pagination
        spans, skipped = page.spans, page.skipped
    tasks = session.scalars(
        select(Task).where(*_matches(scope_id, alike, *spans)).order_by(*order).limit(limit).offset(skipped)
    )
    return list(tasks), pagination


def _count(session: Session, scope_id: int, alike: dict[str, str], span: Span) -> list[Slice]:
    """The matches in each slice of a span, in the order of time: kept counts for days, counted where a day is cut."""
    days = whole_days(span)
    cut = [Slice(edge, _count_rows(session, scope_id, alike, edge)) for edge in edges(span, days)]
    whole = slice_days(count_tasks_by_day(session, scope_id, alike), days)
    return sorted([*cut, *whole], key=lambda piece: piece.span.start)


def _count_rows(session: Session, scope_id: int, alike: dict[str, str], span: Span) -> int:
    return session.scalar(select(func.count()).select_from(Task).where(*_matches(scope_id, alike, span))) or 0


def _matches(scope_id: int, alike: dict[str, str], *spans: Span) -> list[ColumnElement[bool]]:
    return [
        Task.scope_id == scope_id,
        *(getattr(Task, column) == value for column, value in alike.items()),
        or_(*(and_(Task.created_at >= span.start, Task.created_at < span.end) for span in spans)),
    ]


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
