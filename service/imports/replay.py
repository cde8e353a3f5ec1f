"""Replay: rows whose key another chunk had written are applied at the end, in file order.

Chunks are loaded in any order, so of two rows of one key the later in the file may be written first.
Such keys are few; all their rows are applied again here, cell by cell, as the file has them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from schemas.vocabulary import Phase
from service.db.models import Chunk, RowSetAside, Task
from service.imports.columns.text import CLEARED, ROW
from service.imports.load import read_chunk
from service.imports.merge import Merging
from service.imports.merge.customers import remember_written, replay
from service.imports.merge.folding import fold_rows, fold_table, to_rows
from service.imports.plan import ImportPlan
from service.imports.validate import validate_chunk
from service.tracking.lease import require_owner
from service.tracking.workbench import Workbench

_KEYS_AT_ONCE = 5000
_ROWS_AT_ONCE = 20_000


def replay_rows(bench: Workbench, plan: ImportPlan, task: Task, progress: Callable[[], None]) -> None:
    """Apply what was set aside, and forget it; safe to call again, since a row that was applied may be so twice.

    A stopped import may be set to go on: then nothing is forgotten, so that rows which are loaded later can still be
    put in order with these. Calls `progress` with each step; raises FencedError when another attempt owns the finish by
    now.
    """
    is_kept = task.stop_code is not None
    if is_kept:
        with bench.sessions.begin() as session:
            require_owner(session, task, Phase.FINISHING)
            remember_written(session, task)
    for chunk in _chunks_to_read_again(bench, task):
        progress()
        _read_again(bench, plan, task, chunk)
    last: str | None = ""
    while last is not None:
        progress()
        with bench.sessions.begin() as session:
            last = _replay_some(session, Merging(task, plan.options, in_file_order=True), last, is_kept=is_kept)


def _chunks_to_read_again(bench: Workbench, task: Task) -> Sequence[Chunk]:
    """The chunks that hold rows whose values are needed once more."""
    with bench.sessions() as session:
        return session.scalars(
            select(Chunk)
            .distinct()
            .join(RowSetAside, RowSetAside.task_id == Chunk.task_id)
            .where(
                Chunk.task_id == task.id,
                RowSetAside.values.is_(None),
                RowSetAside.row.between(Chunk.first_row, Chunk.first_row + Chunk.row_count - 1),
            )
        ).all()


def _read_again(bench: Workbench, plan: ImportPlan, task: Task, chunk: Chunk) -> None:
    """Fill in the values of a chunk's rows that have none."""
    validated = validate_chunk(plan.schema, read_chunk(bench, plan, task, chunk), plan.options.blank)
    folded = {row.pop(ROW): row for row in to_rows(fold_table(validated.table, "external_id"))}
    with bench.sessions.begin() as session:
        needed = session.scalars(
            select(RowSetAside).where(
                RowSetAside.task_id == task.id,
                RowSetAside.values.is_(None),
                RowSetAside.row.between(chunk.first_row, chunk.first_row + chunk.row_count - 1),
            )
        )
        for row in needed:
            row.values = {name: sorted(value) if name == CLEARED else value for name, value in folded[row.row].items()}


def _replay_some(session: Session, merging: Merging, after: str, *, is_kept: bool) -> str | None:
    """Apply the rows of the next keys behind this one, and forget them unless they are kept; gives the last key."""
    task = merging.task
    require_owner(session, task, Phase.FINISHING)
    keys = _next_keys(session, task, after)
    if not keys:
        return None
    of_keys = (RowSetAside.task_id == task.id, RowSetAside.key.in_(keys))
    rows = session.scalars(select(RowSetAside).where(*of_keys).order_by(RowSetAside.row)).all()
    replay(session, merging, fold_rows((row.row, row.key, _values(row)) for row in rows))
    if not is_kept:
        session.execute(delete(RowSetAside).where(*of_keys))
    return keys[-1]


def _next_keys(session: Session, task: Task, after: str) -> list[str]:
    """So many keys that all their rows can be held at once; a key has no more rows than the task has chunks."""
    counted = session.execute(
        select(RowSetAside.key, func.count())
        .where(RowSetAside.task_id == task.id, RowSetAside.key > after)
        .group_by(RowSetAside.key)
        .order_by(RowSetAside.key)
        .limit(_KEYS_AT_ONCE)
    )
    keys: list[str] = []
    rows = 0
    for key, count in counted:
        rows += count
        if keys and rows > _ROWS_AT_ONCE:
            break
        keys.append(key)
    return keys


def _values(row: RowSetAside) -> dict[str, Any]:
    """The values of a row; JSON has no sets."""
    values = row.values or {}
    return {**values, CLEARED: frozenset(values[CLEARED])} if CLEARED in values else values
