"""Claims and leases: who may work on a task, until when, and what happens when nobody does."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    Interval,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from schemas.vocabulary import AttemptOutcome, ChunkState, Phase, TaskState, TaskType
from service.db.clock import now, seconds_from_now
from service.db.models import Attempt, Chunk, Task
from service.errors import FencedError

#: However long the queues are, a lost message costs no more than this.
_LONGEST_SILENCE = timedelta(minutes=5)

_UNFINISHED = Task.state.in_([TaskState.PENDING, TaskState.PROCESSING])
_HAS_UNLOADED_CHUNKS = exists().where(Chunk.task_id == Task.id, Chunk.state != ChunkState.LOADED)
_HAS_OPEN_CHUNKS = exists().where(Chunk.task_id == Task.id, Chunk.state == ChunkState.OPEN)


def _is_due() -> ColumnElement[bool]:
    """Whether a task waits for a worker as a whole: to be fetched, finished or exported."""
    return and_(
        _UNFINISHED,
        Task.lease_expires_at.is_(None),
        Task.due_at <= now(),
        or_(Task.phase.is_distinct_from(Phase.LOADING), Task.stop_code.is_not(None), ~_HAS_UNLOADED_CHUNKS),
    )


def claim_task(
    session: Session,
    task_type: TaskType,
    worker: str,
    lease_seconds: int,
    task_id: str | None = None,
) -> Task | None:
    """Take the right to run one due task: the one named, else the one due for longest; None when there is none.

    Of several workers with the same message one wins and the others get None. An import whose chunks
    are all loaded, or that was stopped, goes on to FINISHING under the same attempt; anything else begins a new one.

    The row is locked first and judged again by a second statement: one that waits for a lock sees the
    newest version of the locked row, but other tables as they were before; it could take an import
    whose chunks have just been planned for one without chunks.
    """
    wanted = select(Task.id).where(Task.task_type == task_type, _is_due()).order_by(Task.due_at).limit(1)
    if task_id is not None:
        wanted = wanted.where(Task.id == task_id)
    locked_id = session.scalar(wanted.with_for_update(skip_locked=True, key_share=True))
    if locked_id is None:
        return None
    finishing = and_(Task.phase.is_not(None), Task.phase.in_([Phase.LOADING, Phase.FINISHING]))
    first_phase = Phase.FETCHING if task_type is TaskType.IMPORT else Phase.READING
    begins = cast(Task.phase.is_distinct_from(Phase.LOADING), Integer)
    task = session.scalar(
        update(Task)
        .where(Task.id == locked_id, _is_due())
        .values(
            state=TaskState.PROCESSING,
            phase=case((finishing, Phase.FINISHING), else_=first_phase),
            attempt=Task.attempt + begins,
            worker=worker,
            lease_expires_at=seconds_from_now(lease_seconds),
            started_at=case((Task.started_at.is_(None), now()), else_=Task.started_at),
            updated_at=now(),
        )
        .returning(Task)
    )
    if task is not None:
        session.execute(
            insert(Attempt)
            .values(task_id=task.id, number=task.attempt, worker=worker)
            .on_conflict_do_nothing(index_elements=[Attempt.task_id, Attempt.number])
        )
    return task


def require_owner(session: Session, task: Task, phase: Phase) -> None:
    """Hold the task as it is until the transaction ends; what is written beside it is fenced by that.

    Raises FencedError when another attempt owns the task, or its state or phase has changed.
    """
    owned = select(Task.id).where(
        Task.id == task.id, Task.attempt == task.attempt, Task.state == TaskState.PROCESSING, Task.phase == phase
    )
    if session.scalar(owned.with_for_update(read=True)) is None:
        raise FencedError(task_id=task.id, attempt=task.attempt)


def renew_lease(session: Session, task_id: str, attempt: int, lease_seconds: int, bytes_done: int) -> None:
    """Move the end of a lease and store how far the attempt has come.

    Raises FencedError when the attempt no longer owns the task: it was reaped, failed or finished.
    """
    renewed = session.scalar(
        update(Task)
        .where(
            Task.id == task_id,
            Task.attempt == attempt,
            Task.lease_expires_at.is_not(None),
        )
        .values(
            lease_expires_at=seconds_from_now(lease_seconds),
            bytes_done=bytes_done,
            updated_at=now(),
        )
        .returning(Task.id)
    )
    if renewed is None:
        raise FencedError(task_id=task_id, attempt=attempt)


def reap_tasks(session: Session) -> list[Task]:
    """End the leases that ran out; the tasks are due again. Safe beside other reapers.

    The caller decides which of them have had attempts enough.
    """
    expired = select(Task.id).where(Task.lease_expires_at < now()).with_for_update(skip_locked=True, key_share=True)
    tasks = session.scalars(
        update(Task)
        .where(Task.id.in_(expired))
        .values(
            lease_expires_at=None,
            worker=None,
            due_at=now(),
            dispatched_at=None,
            updated_at=now(),
        )
        .returning(Task)
    ).all()
    for task in tasks:
        end_attempt(
            session,
            task.id,
            task.attempt,
            AttemptOutcome.LOST,
            "The worker stopped before its lease ended",
        )
    return list(tasks)


def end_attempt(
    session: Session,
    task_id: str,
    attempt: int,
    outcome: AttemptOutcome,
    error: str | None,
) -> None:
    """Write down how an attempt ended; once ended it stays as it is."""
    session.execute(
        update(Attempt)
        .where(
            Attempt.task_id == task_id,
            Attempt.number == attempt,
            Attempt.outcome.is_(None),
        )
        .values(ended_at=now(), outcome=outcome, error=error)
    )


def mark_undelivered(session: Session, task_ids: Collection[str]) -> list[Task]:
    """Tasks of which a part is due again at once: their next message does not wait."""
    return list(
        session.scalars(update(Task).where(Task.id.in_(task_ids)).values(dispatched_at=None).returning(Task)).all()
    )


def take_undelivered(session: Session, resend_seconds: int, limit: int = 1000) -> list[Task]:
    """Tasks that something can be done for although no message was sent for a while; marks them as sent.

    The time between two messages doubles up to some minutes, since a task may well wait its turn in a
    long queue that holds its message. The caller commits and then sends. Safe beside other senders.
    """
    waited = func.least(Task.dispatched_at - Task.due_at, literal(_LONGEST_SILENCE, Interval))
    patience = func.greatest(waited, literal(timedelta(seconds=resend_seconds), Interval))
    quiet = or_(Task.dispatched_at.is_(None), Task.dispatched_at + patience < now())
    loading = and_(
        Task.state == TaskState.PROCESSING,
        Task.phase == Phase.LOADING,
        _HAS_OPEN_CHUNKS,
    )
    wanted = (
        select(Task.id)
        .where(quiet, or_(_is_due(), loading))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(
        session.scalars(update(Task).where(Task.id.in_(wanted)).values(dispatched_at=now()).returning(Task)).all()
    )
