"""One page of a scope's tasks, and how many there are: counted from kept counts, see docs/adr/0008-totals.md."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
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
    _check_sort(wanted["sort"])
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    alike = {column: wanted[name] for name, column in _EXACT.items() if wanted[name]}
    span = span_between(wanted["start_time"], wanted["end_time"])
    slices = _count(session, scope_id, alike, span)
    limit = page_length(wanted["limit"])
    pagination = {"total": sum(piece.rows for piece in slices), "limit": limit, "offset": wanted["offset"]}
    spans: tuple[Span, ...] = (span,)
    skipped = max(wanted["offset"], 0)
    if wanted["sort"] == Task.created_at.key:
        page = find_page(slices if wanted["order"] == "asc" else reversed(slices), skipped, limit)
        if page is None:
            return [], pagination
        spans, skipped = page.spans, page.skipped
    statement = _page(tuple(alike), wanted["sort"], len(spans), ascending=wanted["order"] == "asc")
    place = {"limit": limit, "offset": skipped}
    return list(session.scalars(statement, _values(scope_id, alike, spans) | place)), pagination


def page_length(limit: int) -> int:
    """How long a page may be, for what was asked."""
    return min(limit, MAX_LIMIT) if limit > 0 else DEFAULT_LIMIT


def _count(session: Session, scope_id: int, alike: dict[str, str], span: Span) -> list[Slice]:
    """The matches in each slice of a span, in the order of time: kept counts for days, counted where a day is cut."""
    days = whole_days(span)
    cut = [Slice(edge, _count_rows(session, scope_id, alike, edge)) for edge in edges(span, days)]
    whole = slice_days(count_tasks_by_day(session, scope_id, alike), days)
    return sorted([*cut, *whole], key=lambda piece: piece.span.start)


def _count_rows(session: Session, scope_id: int, alike: dict[str, str], span: Span) -> int:
    return session.scalar(_number(tuple(alike)), _values(scope_id, alike, (span,))) or 0


# Statements are built once for each combination of filters: building takes longer than sending.


@lru_cache(maxsize=512)
def _page(names: tuple[str, ...], sort: str, spans: int, *, ascending: bool) -> Select[Task]:
    """Tasks by the wanted column, then by their id, so that no two pages can overlap."""
    columns = [_SORTABLE[sort], Task.id]
    order = [column.asc() if ascending else column.desc() for column in columns]
    page = select(Task).where(*_matches(names, spans)).order_by(*order)
    return page.limit(bindparam("limit")).offset(bindparam("offset"))


@lru_cache(maxsize=128)
def _number(names: tuple[str, ...]) -> Select[int]:
    return select(func.count()).select_from(Task).where(*_matches(names, 1))


def _matches(names: tuple[str, ...], spans: int) -> list[ColumnElement[bool]]:
    within = (
        and_(Task.created_at >= bindparam(f"start_{number}"), Task.created_at < bindparam(f"end_{number}"))
        for number in range(spans)
    )
    return [*(getattr(Task, name) == bindparam(name) for name in ("scope_id", *names)), or_(*within)]


def _values(scope_id: int, alike: dict[str, str], spans: Sequence[Span]) -> dict[str, Any]:
    values: dict[str, Any] = {"scope_id": scope_id, **alike}
    for number, span in enumerate(spans):
        values |= {f"start_{number}": span.start, f"end_{number}": span.end}
    return values


def _check_sort(sort: str) -> None:
    if sort not in _SORTABLE:
        message = "Invalid filter parameters"
        raise ValidationError(message, sort=[f"Not a column to sort by; use one of {', '.join(sorted(_SORTABLE))}."])
