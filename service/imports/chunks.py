"""Chunks in SQL: planned by the fetch, claimed one at a time by any worker, fenced when they are done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    Interval,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from schemas.options import Mode
from schemas.vocabulary import ChunkState, EntityType, Phase, TaskState
from service.db.clock import now, seconds_from_now
from service.db.models import Chunk, Task
from service.errors import FencedError
from service.imports.formats.boundaries import ChunkSpan
from service.tracking.counters import Counters
from service.tracking.lease import require_owner

#: Rows of these may refer to each other by a key or exclude each other, so their chunks are loaded in
#: file order, one at a time; the files are small. The others' chunks are loaded in any order, except
#: where the first of a customer's rows has to win.
_ENTITIES_IN_FILE_ORDER = (EntityType.FEATURES, EntityType.PRICES)
_LOADS_IN_FILE_ORDER = or_(
    Task.entity_type.in_(_ENTITIES_IN_FILE_ORDER),
    and_(Task.entity_type == EntityType.CUSTOMERS, Task.options["mode"].as_string() == Mode.INSERT),
)


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """The right to load one chunk until its lease ends, and the task it belongs to."""

    task: Task
    chunk: Chunk


def is_in_file_order(entity_type: str, mode: Mode) -> bool:
    """Whether a chunk of such an import is loaded only when all before it are."""
    return entity_type in _ENTITIES_IN_FILE_ORDER or (entity_type == EntityType.CUSTOMERS and mode is Mode.INSERT)


def plan_chunks(session: Session, task: Task, spans: Iterable[ChunkSpan]) -> None:
    """Store the chunks of a fetched source, in place of what a lost attempt may have planned.

    Raises FencedError when another attempt owns the fetch by now.
    """
    require_owner(session, task, Phase.FETCHING)
    session.execute(delete(Chunk).where(Chunk.task_id == task.id))
    planned = [{"task_id": task.id, **_columns(span)} for span in spans]
    if planned:
        session.execute(insert(Chunk), planned)


def claim_chunk(session: Session, worker: str, lease_seconds: int) -> ClaimedChunk | None:
    """Take the next open chunk of the scope, and in it of the task, that fewest workers load now; None without any.

    Of equals the task that was submitted first has its turn. SKIP LOCKED, so workers never wait for
    each other here; one look into the index of unloaded chunks for each task, however many it has.
    """
    chunk = session.scalar(_CLAIM, {"lease": timedelta(seconds=lease_seconds), "claiming_worker": worker})
    if chunk is None:
        return None
    return ClaimedChunk(session.get_one(Task, chunk.task_id), chunk)


def renew_chunk(session: Session, chunk: Chunk, lease_seconds: int) -> None:
    """Move the end of a chunk's lease; raises FencedError when the chunk is no longer ours."""
    _write_as_owner(session, chunk, lease_expires_at=seconds_from_now(lease_seconds))


def finish_chunk(session: Session, chunk: Chunk, counters: Counters, refused_codes: Mapping[str, int] | None) -> None:
    """The fence of the transaction that wrote the chunk's rows, row errors and counters.

    Raises FencedError when the chunk was reaped or its task stopped, so that all of it is rolled back.
    """
    runs = exists().where(
        Task.id == chunk.task_id,
        Task.state == TaskState.PROCESSING,
        Task.phase == Phase.LOADING,
    )
    _write_as_owner(
        session,
        chunk,
        runs,
        state=ChunkState.LOADED,
        lease_expires_at=None,
        created_records=counters.created,
        updated_records=counters.updated,
        skipped_records=counters.skipped,
        rejected_records=counters.rejected,
        refused_codes=refused_codes,
    )


def reopen_chunk(session: Session, chunk: Chunk, error: str, delay_seconds: float) -> None:
    """Hand a chunk back after a transient error; raises FencedError when it is no longer ours."""
    _write_as_owner(
        session,
        chunk,
        state=ChunkState.OPEN,
        failures=Chunk.failures + 1,
        last_error=error,
        lease_expires_at=None,
        worker=None,
        due_at=seconds_from_now(delay_seconds),
    )


def reap_chunks(session: Session) -> list[Chunk]:
    """Open the chunks whose lease ran out; their rows were never committed. Safe beside other reapers."""
    expired = (
        select(Chunk.task_id, Chunk.number)
        .where(Chunk.state == ChunkState.LOADING, Chunk.lease_expires_at < now())
        .with_for_update(skip_locked=True)
        .cte("expired")
    )
    return list(
        session.scalars(
            update(Chunk)
            .where(and_(Chunk.task_id == expired.c.task_id, Chunk.number == expired.c.number))
            .values(
                state=ChunkState.OPEN,
                failures=Chunk.failures + 1,
                last_error="The worker stopped before its lease ended",
                lease_expires_at=None,
                worker=None,
                due_at=now(),
            )
            .returning(Chunk)
        ).all()
    )


def _columns(span: ChunkSpan) -> dict[str, object]:
    return {
        "number": span.number,
        "byte_start": span.byte_start,
        "byte_end": span.byte_end,
        "first_row": span.first_row,
        "row_count": span.row_count,
        "first_line": span.first_line,
        "checksum": span.checksum,
    }


def _write_as_owner(session: Session, chunk: Chunk, *conditions: ColumnElement[bool], **values: object) -> None:
    written = session.scalar(
        update(Chunk)
        .where(
            Chunk.task_id == chunk.task_id,
            Chunk.number == chunk.number,
            Chunk.attempt == chunk.attempt,
            Chunk.state == ChunkState.LOADING,
            *conditions,
        )
        .values(**values)
        .returning(Chunk.number)
    )
    if written is None:
        raise FencedError(task_id=chunk.task_id, chunk=chunk.number)


def _next_chunk() -> CTE:
    """The chunk whose turn it is."""
    loaded_now = (
        select(Chunk.task_id, func.count().label("chunks"))
        .where(Chunk.state == ChunkState.LOADING)
        .group_by(Chunk.task_id)
        .subquery("loaded_now")
    )
    of_task = func.coalesce(loaded_now.c.chunks, 0)
    of_scope = func.sum(of_task).over(partition_by=Task.scope_id)
    in_turn = (
        select(Task.id, _LOADS_IN_FILE_ORDER.label("in_file_order"))
        .outerjoin(loaded_now, loaded_now.c.task_id == Task.id)
        .where(Task.state == TaskState.PROCESSING, Task.phase == Phase.LOADING, Task.stop_code.is_(None))
        .order_by(of_scope, of_task, Task.serial)
        .subquery("in_turn")
    )
    unloaded = aliased(Chunk)
    first = (
        select(func.min(unloaded.number))
        .where(unloaded.task_id == in_turn.c.id, unloaded.state != ChunkState.LOADED)
        .correlate(in_turn)
        .scalar_subquery()
    )
    of_each = (
        select(Chunk.task_id, Chunk.number)
        .where(
            Chunk.task_id == in_turn.c.id,
            Chunk.state == ChunkState.OPEN,
            Chunk.due_at <= now(),
            or_(in_turn.c.in_file_order.is_not(True), Chunk.number == first),
        )
        .order_by(Chunk.number)
        .limit(1)
        .with_for_update(skip_locked=True)
        .lateral("of_each")
    )
    return select(of_each.c.task_id, of_each.c.number).select_from(in_turn).join(of_each, true()).limit(1).cte("wanted")


def _claim() -> ReturningUpdate[Chunk]:
    wanted = _next_chunk()
    return (
        update(Chunk)
        .where(Chunk.task_id == wanted.c.task_id, Chunk.number == wanted.c.number)
        .values(
            state=ChunkState.LOADING,
            attempt=Chunk.attempt + 1,
            lease_expires_at=now() + bindparam("lease", type_=Interval),
            worker=bindparam("claiming_worker"),
        )
        .returning(Chunk)
    )


#: Built once: every idle worker asks it with each message.
_CLAIM = _claim()
