"""A caller's own change of a task's state, as the state machine allows it."""

from sqlalchemy import ColumnElement, and_, case, exists, false, func, update
from sqlalchemy.orm import Session

from schemas.vocabulary import AttemptOutcome, ChunkState, Phase, TaskState, TaskType
from service.db.clock import now
from service.db.models import Attempt, Chunk, RowSetAside, Task
from service.errors import ValidationError
from service.tracking.counters import sum_chunks
from service.tracking.lease import end_attempt
from service.tracking.lifecycle import (
    completed_values,
    counter_values,
    failed_values,
    find_task,
    stop_chunks,
)
from service.tracking.row_errors import summarise_row_errors

_FAILED_BY_CALLER = "The task was set to FAILED through the API; set it to PROCESSING to go on"

#: The worker of an attempt that goes on with open chunks, which any workers load.
_CHUNK_BY_CHUNK = ""


def change_status(
    session: Session,
    scope_id: int,
    task_id: str,
    wanted: str,
    user_id: str,
    max_attempts: int,
) -> Task:
    """Change the state and give the task as it is now; the caller commits, and dispatches what is due.

    PROCESSING makes the task due, going on with the chunks that are open; FAILED stops the work;
    COMPLETED is allowed when nothing is left to do. Raises NotFoundError, or ValidationError with the
    two states when the change is not allowed.
    """
    match wanted:
        case TaskState.PROCESSING:
            changed = _restart(session, scope_id, task_id, user_id, max_attempts)
        case TaskState.FAILED:
            changed = _stop(session, scope_id, task_id, user_id)
        case TaskState.COMPLETED:
            changed = _close(session, scope_id, task_id, user_id)
        case _:
            changed = None
    if changed is None:
        current = find_task(session, scope_id, task_id)
        raise ValidationError("Invalid status transition", **{"from": current.state, "to": wanted})
    return changed


def _restart(session: Session, scope_id: int, task_id: str, user_id: str, max_attempts: int) -> Task | None:
    """PENDING or FAILED to PROCESSING: due now, with a new budget of attempts."""
    goes_on = and_(
        Task.task_type == TaskType.IMPORT, Task.source_sha256.is_not(None), exists().where(Chunk.task_id == Task.id)
    )
    task = _change(
        session,
        scope_id,
        task_id,
        Task.state.in_([TaskState.PENDING, TaskState.FAILED]),
        state=TaskState.PROCESSING,
        phase=case((goes_on, Phase.LOADING), else_=None),
        # Otherwise the claim begins the attempt.
        attempt=Task.attempt + case((goes_on, 1), else_=0),
        final_attempt=Task.attempt + max_attempts,
        due_at=now(),
        dispatched_at=now(),
        started_at=now(),
        error_code=None,
        error_summary=None,
        stop_code=None,
        stop_message=None,
        updated_by=user_id,
    )
    if task is not None and task.phase == Phase.LOADING:
        session.add(Attempt(task_id=task.id, number=task.attempt, worker=_CHUNK_BY_CHUNK))
        session.execute(
            update(Chunk)
            .where(Chunk.task_id == task_id, Chunk.state == ChunkState.OPEN)
            .values(failures=0, due_at=now())
        )
    return task


def _stop(session: Session, scope_id: int, task_id: str, user_id: str) -> Task | None:
    """PENDING or PROCESSING to FAILED: whoever works on it finds itself fenced."""
    task = _change(
        session,
        scope_id,
        task_id,
        Task.state.in_([TaskState.PENDING, TaskState.PROCESSING]),
        **failed_values("stopped", _FAILED_BY_CALLER),
        updated_by=user_id,
    )
    if task is not None:
        stop_chunks(session, task_id)
        end_attempt(session, task_id, task.attempt, AttemptOutcome.FAILED, _FAILED_BY_CALLER)
    return task


def _close(session: Session, scope_id: int, task_id: str, user_id: str) -> Task | None:
    """PROCESSING to COMPLETED, where every chunk is loaded and no row waits for the end."""
    task = _change(
        session,
        scope_id,
        task_id,
        (Task.state == TaskState.PROCESSING) & (Task.phase == Phase.LOADING),
        # These have written nothing before they are finished.
        ~_is_set("atomic") & ~_is_set("dry_run"),
        ~exists().where(Chunk.task_id == Task.id, Chunk.state != ChunkState.LOADED),
        ~exists().where(RowSetAside.task_id == Task.id),
        **completed_values(),
        updated_by=user_id,
    )
    if task is not None:
        sums = sum_chunks(session, [task_id])
        if task_id in sums:
            summary = summarise_row_errors(session, task_id, sums[task_id].rejected)
            values = {**counter_values(sums[task_id]), "error_summary": summary}
            session.execute(update(Task).where(Task.id == task_id).values(values))
        end_attempt(session, task_id, task.attempt, AttemptOutcome.SUCCEEDED, None)
    return task


def _is_set(option: str) -> ColumnElement[bool]:
    return func.coalesce(Task.options[option].as_boolean(), false())


def _change(
    session: Session,
    scope_id: int,
    task_id: str,
    *conditions: ColumnElement[bool],
    **values: object,
) -> Task | None:
    return session.scalar(
        update(Task)
        .where(Task.id == task_id, Task.scope_id == scope_id, *conditions)
        .values(updated_at=now(), **values)
        .returning(Task)
    )
