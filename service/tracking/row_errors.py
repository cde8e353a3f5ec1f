"""The row errors of a task: stored with their chunk, read in pages, told in one text when the task ends."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.orm import Session

from schemas.row_errors import RowError
from service.db.copying import copy_rows
from service.db.models import Chunk, StoredRowError

#: Of each chunk the errors of so many refused rows can be read one by one: the first ones, on every run the same.
KEPT_ROWS_OF_A_CHUNK: Final = 1000

_COLUMNS = ("task_id", "row", "position", "line", "column", "code", "value", "message")
_SHOWN = [StoredRowError.row, StoredRowError.line, StoredRowError.column, StoredRowError.code]
_NAME_CHARACTERS = 255
_TOLD_ROWS = 5
_SUMMARY_CHARACTERS = 2000
_ROW_CHARACTERS = 400

_OF_TASK = StoredRowError.task_id == bindparam("task_id")
_IN_FILE_ORDER = (StoredRowError.row, StoredRowError.position)


def store_row_errors(session: Session, task_id: str, errors: Iterable[RowError]) -> dict[str, int]:
    """Store why rows of a chunk were refused, and give the number of refused rows by code.

    All errors of a row come together with those of its chunk, and are stored in the chunk's transaction. A row counts
    for its first error; what is beyond KEPT_ROWS_OF_A_CHUNK rows is only counted.
    """
    by_row: dict[int, list[RowError]] = {}
    for error in errors:
        by_row.setdefault(error.row, []).append(error)
    kept = sorted(by_row)[:KEPT_ROWS_OF_A_CHUNK]
    if kept:
        stored = (_stored(task_id, place, error) for row in kept for place, error in enumerate(by_row[row], 1))
        copy_rows(session, "row_errors", _COLUMNS, stored)
    return dict(Counter(str(of_row[0].code) for of_row in by_row.values()))


def list_row_errors(
    session: Session, task_id: str, code: str | None, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """A page of the errors that are kept, in the order of the file, and how many there are; all or those of a code."""
    only = [] if code is None else [StoredRowError.code == bindparam("code")]
    wanted = select(StoredRowError.row, StoredRowError.position).where(_OF_TASK, *only)
    place = wanted.order_by(*_IN_FILE_ORDER).limit(limit).offset(offset).subquery()
    values = {"task_id": task_id, **({} if code is None else {"code": code})}
    page = (
        select(*_SHOWN, StoredRowError.value, StoredRowError.message)
        .join(place, (StoredRowError.row == place.c.row) & (StoredRowError.position == place.c.position))
        .where(_OF_TASK)
        .order_by(*_IN_FILE_ORDER)
    )
    total = session.scalar(select(func.count()).select_from(wanted.subquery()), values) or 0
    return [dict(error) for error in session.execute(page, values).mappings()], total


def count_refused_rows(session: Session, task_id: str) -> tuple[dict[str, int], int]:
    """How many rows were refused so far by code, the most frequent first, and of how many the errors are kept."""
    kept = func.coalesce(func.sum(func.least(Chunk.rejected_records, KEPT_ROWS_OF_A_CHUNK)), 0)
    of_chunk = func.jsonb_each_text(Chunk.refused_codes).table_valued("key", "value").lateral()
    rows = func.sum(cast(of_chunk.c.value, BigInteger))
    codes = (
        select(of_chunk.c.key, rows)
        .select_from(Chunk)
        .join(of_chunk, onclause=Chunk.refused_codes.is_not(None))
        .where(Chunk.task_id == task_id)
        .group_by(of_chunk.c.key)
        .order_by(rows.desc(), of_chunk.c.key)
    )
    counts = {code: int(number) for code, number in session.execute(codes)}
    return counts, int(session.scalar(select(kept).where(Chunk.task_id == task_id)) or 0)


def summarise_row_errors(session: Session, task_id: str, rejected: int) -> str | None:
    """A text for people: how many rows were refused, for what, and the first of them; None when none was."""
    if not rejected:
        return None
    counts, _ = count_refused_rows(session, task_id)
    return tell_refused_rows(rejected, counts, _first_rows(session, task_id))


def tell_refused_rows(rejected: int, counts: Mapping[str, int], first: Sequence[tuple[int, int, str]]) -> str:
    """That text, of at most 2000 characters: `first` has the number, the line and the message of rows in order."""
    counted = ", ".join(f"{code} {number}" for code, number in counts.items())
    text = f"{_rows(rejected)} refused{f' ({counted})' if counted else ''}. "
    told = 0
    for row, line, message in first:
        cut = message if len(message) <= _ROW_CHARACTERS else f"{message[: _ROW_CHARACTERS - 1]}…"
        text += f"{'; ' if told else ''}Row {row} (line {line}): {cut}"
        told += 1
    more = rejected - told
    rest = f"; and {_rows(more)} more" if more else ""
    return text[: _SUMMARY_CHARACTERS - len(rest)] + rest


def _first_rows(session: Session, task_id: str) -> list[tuple[int, int, str]]:
    """The first rows whose errors are kept: number, line and all messages of each."""
    first = (
        select(StoredRowError.row)
        .where(_OF_TASK, StoredRowError.position == 1)
        .order_by(StoredRowError.row)
        .limit(_TOLD_ROWS)
        .subquery()
    )
    errors = session.execute(
        select(StoredRowError.row, StoredRowError.line, StoredRowError.message)
        .join(first, StoredRowError.row == first.c.row)
        .where(_OF_TASK)
        .order_by(*_IN_FILE_ORDER),
        {"task_id": task_id},
    )
    messages: dict[tuple[int, int], list[str]] = {}
    for row, line, message in errors:
        messages.setdefault((row, line), []).append(message)
    return [(row, line, ", ".join(told)) for (row, line), told in messages.items()]


def _stored(task_id: str, place: int, error: RowError) -> tuple[Any, ...]:
    column = error.column[:_NAME_CHARACTERS]
    return task_id, error.row, place, error.line, column, error.code, error.value, error.message


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
