"""The row errors of a task: stored with their chunk, told in one sentence when the task ends."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.row_errors import RowError
from service.db.copying import copy_rows
from service.db.models import StoredRowError

_TOLD = 5
_SUMMARY_CHARACTERS = 2000


_COLUMNS = ("task_id", "row", "position", "line", "column", "code", "value", "message")
_NAME_CHARACTERS = 255


def store_row_errors(session: Session, task_id: str, errors: Iterable[RowError]) -> None:
    """Store why rows were refused; part of the transaction of their chunk, which gives all errors of a row."""
    of_rows: Counter[int] = Counter()
    rows = []
    for error in errors:
        of_rows[error.row] += 1
        column = error.column[:_NAME_CHARACTERS]
        place = (task_id, error.row, of_rows[error.row], error.line, column)
        rows.append((*place, error.code, error.value, error.message))
    if rows:
        copy_rows(session, "row_errors", _COLUMNS, rows)


def summarise_row_errors(session: Session, task_id: str, rejected: int) -> str | None:
    """A text for people: how many rows were refused, for what, and the first of them; None when none was."""
    if not rejected:
        return None
    codes = session.execute(
        select(StoredRowError.code, func.count())
        .where(StoredRowError.task_id == task_id)
        .group_by(StoredRowError.code)
        .order_by(func.count().desc(), StoredRowError.code)
    )
    counted = ", ".join(f"{code} {count}" for code, count in codes)
    first = session.scalars(
        select(StoredRowError).where(StoredRowError.task_id == task_id).order_by(StoredRowError.row).limit(_TOLD)
    ).all()
    told = "; ".join(f"Row {error.row} (line {error.line}): {error.message}" for error in first)
    more = rejected - len({error.row for error in first})
    rest = f"; and {_rows(more)} more" if more else ""
    return f"{_rows(rejected)} refused ({counted}). {told}"[: _SUMMARY_CHARACTERS - len(rest)] + rest


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
