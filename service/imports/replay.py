"""Replay: rows whose key another chunk had written are applied at the end, in file order.

Chunks are loaded in any order, so of two rows of one key the later in the file may be written first.
Such keys are few; all their rows are applied again here, cell by cell, as the file has them.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from schemas.vocabulary import Phase
from service.db.models import Chunk, RowSetAside, Task
from service.imports.columns.text import CLEARED, ROW
from service.imports.load import read_chunk
from service.imports.merge import Merging
from service.imports.merge.customers import replay
from service.imports.merge.folding import fold_rows, fold_table, to_rows
from service.imports.plan import ImportPlan
from service.imports.validate import validate_chunk
from service.tracking.lease import require_owner
from service.tracking.workbench import Workbench

_KEYS_AT_ONCE = 5000


def replay_rows(bench: Workbench, plan: ImportPlan, task: Task, progress: Callable[[], None]) -> None:
    """Apply what was set aside; safe to call again after an interruption, since what is applied is deleted.

    Calls `progress` with each step; raises FencedError when another attempt owns the finish by now.
    """
    for chunk in _chunks_to_read_again(bench, task):
        progress()
        _read_again(bench, plan, task, chunk)
    more = True
    while more:
        progress()
        with bench.sessions.begin() as session:
            more = _replay_some(session, Merging(task, plan.options, in_file_order=True))


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


def _replay_some(session: Session, merging: Merging) -> bool:
    """Apply the rows of the next keys and forget them; False when none was left."""
    task = merging.task
    require_owner(session, task, Phase.FINISHING)
    keys = session.scalars(
        select(RowSetAside.key)
        .distinct()
        .where(RowSetAside.task_id == task.id)
        .order_by(RowSetAside.key)
        .limit(_KEYS_AT_ONCE)
    ).all()
    taken = session.scalars(
        delete(RowSetAside).where(RowSetAside.task_id == task.id, RowSetAside.key.in_(keys)).returning(RowSetAside)
    ).all()
    ordered = sorted(taken, key=lambda row: row.row)
    if ordered:
        replay(session, merging, fold_rows((row.row, row.key, row.values or {}) for row in ordered))
    return bool(keys)
