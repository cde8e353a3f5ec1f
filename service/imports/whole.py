"""Imports whose rows are kept or undone together: all chunks are merged in file order in one transaction."""

from collections.abc import Callable, Sequence

from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session

from schemas.row_errors import RowError
from schemas.vocabulary import Phase
from service.db.clock import now
from service.db.models import Chunk, RefusedRows, StoredRowError, Task
from service.imports.columns.read import ChunkText
from service.imports.load import place_refusals, read_chunk
from service.imports.merge import Merging, merge_rows
from service.imports.plan import ImportPlan
from service.imports.refused import store_refused
from service.imports.stop import find_too_many
from service.imports.validate import validate_chunk
from service.tracking.counters import Counters
from service.tracking.lease import require_owner
from service.tracking.workbench import Workbench

Counted = list[tuple[Chunk, Counters]]


def merge_whole(bench: Workbench, plan: ImportPlan, task: Task, progress: Callable[[], None]) -> None:
    """Merge all chunks, then keep what was written, or undo it for a dry run or when too many rows are refused.

    Calls `progress` with each chunk. Raises FencedError when another attempt owns the finish by now.
    Done again after an interruption only if nothing was kept.
    """
    if task.merged_at is not None:
        return
    with bench.sessions() as session:
        chunks = session.scalars(select(Chunk).where(Chunk.task_id == task.id).order_by(Chunk.number)).all()
    with bench.sessions() as session:
        counted = _merge_chunks(bench, session, plan, task, chunks, progress)
        if _is_kept(plan, task, counted):
            _store_counters(session, task, counted)
            session.commit()
            return
        session.rollback()
    if plan.options.dry_run:
        with bench.sessions.begin() as session:
            _store_counters(session, task, counted)


def _merge_chunks(
    bench: Workbench,
    session: Session,
    plan: ImportPlan,
    task: Task,
    chunks: Sequence[Chunk],
    progress: Callable[[], None],
) -> Counted:
    merging = Merging(task, plan.options, in_file_order=True)
    counted = []
    for chunk in chunks:
        progress()
        text = read_chunk(bench, plan, task, chunk)
        validated = validate_chunk(plan.schema, text, plan.options.blank)
        merged = merge_rows(session, merging, validated.table)
        errors = [*validated.errors, *place_refusals(text, merged.refusals)]
        rejected = len({error.row for error in errors})
        # An earlier try may have refused what the table takes by now.
        if merged.refusals or rejected != chunk.rejected_records:
            _tell_refused(bench, plan, task, chunk, text, errors)
        sums = merged.counters
        counted.append((chunk, Counters(sums.created, sums.updated, sums.skipped, rejected)))
    return counted


def _is_kept(plan: ImportPlan, task: Task, counted: Counted) -> bool:
    rejected = sum(counters.rejected for _, counters in counted)
    return not plan.options.dry_run and find_too_many(task, plan.options, rejected) is None


def _tell_refused(
    bench: Workbench, plan: ImportPlan, task: Task, chunk: Chunk, text: ChunkText, errors: list[RowError]
) -> None:
    """Store all errors of a chunk in place of those that its rows alone had; this stays when the rows are undone."""
    rows = StoredRowError.row.between(chunk.first_row, chunk.first_row + chunk.row_count - 1)
    with bench.sessions.begin() as session:
        require_owner(session, task, Phase.FINISHING)
        session.execute(delete(StoredRowError).where(StoredRowError.task_id == task.id, rows))
        session.execute(delete(RefusedRows).where(RefusedRows.task_id == task.id, RefusedRows.chunk == chunk.number))
        codes = store_refused(session, task.id, chunk.number, text, errors, plan.own_ids)
        rejected = len({error.row for error in errors})
        session.execute(_this(chunk).values(rejected_records=rejected, refused_codes=codes))


def _store_counters(session: Session, task: Task, counted: Counted) -> None:
    """The fence, and what a second try would see: that the rows are merged."""
    require_owner(session, task, Phase.FINISHING)
    for chunk, counters in counted:
        session.execute(
            _this(chunk).values(
                created_records=counters.created,
                updated_records=counters.updated,
                skipped_records=counters.skipped,
            )
        )
    session.execute(update(Task).where(Task.id == task.id).values(merged_at=now()))


def _this(chunk: Chunk) -> Update:
    return update(Chunk).where(Chunk.task_id == chunk.task_id, Chunk.number == chunk.number)
