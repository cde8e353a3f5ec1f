"""Every change of a task's state: one conditional UPDATE each, so that of two who try, one wins.

The worker's callbacks and PUT /tasks/{id}/status are two doors to these functions. The session is the
caller's: each function is part of one transaction.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, update
from sqlalchemy.orm import Session

from schemas.vocabulary import (
    AttemptOutcome,
    ChunkState,
    EntityType,
    FileType,
    Phase,
    TaskState,
    TaskType,
)
from service.db.clock import now, seconds_from_now
from service.db.models import Chunk, Task
from service.errors import FencedError, NotFoundError
from service.ids import new_id, new_run_id
from service.tracking.counters import Counters, sum_chunks
from service.tracking.lease import end_attempt

#: Built once: it is asked all the time.
_TASK = select(Task).where(Task.id == bindparam("task_id"), Task.scope_id == bindparam("scope_id"))


@dataclass(frozen=True, slots=True)
class NewTask:
    """What a caller asks for."""

    task_type: TaskType
    entity_type: EntityType
    file_type: FileType
    file_url: str = ""
    connection_id: str | None = None
    destination_url: str | None = None
    upload_id: str | None = None
    source_key: str | None = None
    file_name: str | None = None
    metadata: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    plan_id: str | None = None
    parent_task_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSource:
    """The bytes of a source in our own bucket, and what its fetch found out about them."""

    key: str
    sha256: bytes
    length_bytes: int
    columns: tuple[str, ...]
    rows: int
    format: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What the rows of an import came to: counted, told in a text, and where the refused ones are."""

    counters: Counters
    summary: str | None = None
    refused_key: str | None = None


@dataclass(frozen=True, slots=True)
class ExportObject:
    """A finished export: where it is, and the proof of what is in it."""

    file_url: str
    rows: int
    manifest: dict[str, Any]


def submit_task(session: Session, scope_id: int, new: NewTask, max_attempts: int, user_id: str) -> Task:
    """Record a task, due now. The caller commits, then dispatches: `dispatched_at` trusts that it does."""
    task = insert(Task).values(
        id=new_id("task"),
        scope_id=scope_id,
        task_type=new.task_type,
        entity_type=new.entity_type,
        file_type=new.file_type,
        file_url=new.file_url,
        connection_id=new.connection_id,
        destination_url=new.destination_url,
        upload_id=new.upload_id,
        source_key=new.source_key,
        file_name=new.file_name,
        metadata_=new.metadata,
        options=new.options,
        plan_id=new.plan_id,
        parent_task_id=new.parent_task_id,
        workflow_id=new_id("wf_TaskProcessingWorkflow"),
        run_id=new_run_id(),
        final_attempt=max_attempts,
        dispatched_at=now(),
        created_by=user_id,
        updated_by=user_id,
    )
    return session.scalars(task.returning(Task)).one()


def begin_loading(session: Session, task_id: str, attempt: int, source: StoredSource) -> None:
    """The source is ours and its chunks are planned: from here on only chunks hold leases.

    Raises FencedError when another attempt owns the fetch by now.
    """
    _write_as_owner(
        session,
        task_id,
        attempt,
        Task.phase == Phase.FETCHING,
        phase=Phase.LOADING,
        lease_expires_at=None,
        source_key=source.key,
        source_bytes=source.length_bytes,
        source_sha256=source.sha256,
        source_columns=list(source.columns),
        source_format=source.format,
        bytes_done=source.length_bytes,
        total_records=source.rows,
        dispatched_at=now(),
    )


def complete_import(
    session: Session,
    task_id: str,
    attempt: int,
    result: ImportResult,
) -> None:
    """All rows have an answer. Raises FencedError when another attempt owns the finish by now."""
    _write_as_owner(
        session,
        task_id,
        attempt,
        Task.phase == Phase.FINISHING,
        ~exists().where(Chunk.task_id == Task.id, Chunk.state != ChunkState.LOADED),
        **completed_values(),
        **counter_values(result.counters),
        error_summary=result.summary,
        total_records=result.counters.processed,
        refused_key=result.refused_key,
    )
    end_attempt(session, task_id, attempt, AttemptOutcome.SUCCEEDED, None)


def stop_loading(session: Session, task_id: str, code: str, message: str) -> None:
    """Let workers load no more chunks of an import, and one of them finish it; it then FAILED for this reason.

    Of several who say so the first is right. What other workers load at this moment is undone.
    """
    stopped = session.scalar(
        update(Task)
        .where(
            Task.id == task_id,
            Task.state == TaskState.PROCESSING,
            Task.phase == Phase.LOADING,
            Task.stop_code.is_(None),
        )
        .values(stop_code=code, stop_message=message, due_at=now(), dispatched_at=None, updated_at=now())
        .returning(Task.id)
    )
    if stopped is not None:
        stop_chunks(session, task_id)


def end_stopped_import(
    session: Session, task_id: str, attempt: int, code: str, message: str, result: ImportResult
) -> None:
    """An import that was stopped has been finished. Raises FencedError when another attempt owns the finish by now."""
    _write_as_owner(
        session,
        task_id,
        attempt,
        Task.phase == Phase.FINISHING,
        **failed_values(code, message),
        **counter_values(result.counters),
        refused_key=result.refused_key,
    )
    end_attempt(session, task_id, attempt, AttemptOutcome.FAILED, message)


def complete_export(session: Session, task_id: str, attempt: int, made: ExportObject) -> None:
    """The object is whole. Raises FencedError when another attempt owns the export by now, or may own it any moment.

    Once the lease was reaped upkeep takes what the attempt has written for left behind.
    """
    _write_as_owner(
        session,
        task_id,
        attempt,
        Task.task_type == TaskType.EXPORT,
        Task.lease_expires_at.is_not(None),
        **completed_values(),
        **counter_values(Counters(created=made.rows)),
        total_records=made.rows,
        file_url=made.file_url,
        object_manifest=made.manifest,
    )
    end_attempt(session, task_id, attempt, AttemptOutcome.SUCCEEDED, None)


def retry_later(session: Session, task: Task, error: str, delay_seconds: float) -> None:
    """Hand the task back after a transient error: it stays PROCESSING and is due again after the delay.

    Raises FencedError when another attempt owns it by now, or it is in another phase: the error then
    came after the work of its phase was done.
    """
    _write_as_owner(
        session,
        task.id,
        task.attempt,
        Task.phase == task.phase,
        lease_expires_at=None,
        worker=None,
        due_at=seconds_from_now(delay_seconds),
        dispatched_at=None,
    )
    end_attempt(session, task.id, task.attempt, AttemptOutcome.RETRYING, error)


def fail_task(session: Session, task: Task, code: str, message: str) -> None:
    """Give up: FAILED says why, every chunk is fenced, and what was committed is counted.

    Raises FencedError when another attempt owns the task by now, or it is in another phase.
    """
    _write_as_owner(session, task.id, task.attempt, Task.phase == task.phase, **failed_values(code, message))
    stop_chunks(session, task.id)
    end_attempt(session, task.id, task.attempt, AttemptOutcome.FAILED, message)


def find_task(session: Session, scope_id: int, task_id: str) -> Task:
    """The task, if it is the caller's; raises NotFoundError otherwise."""
    task = session.scalar(_TASK, {"scope_id": scope_id, "task_id": task_id})
    if task is None:
        raise NotFoundError("Task not found", task_id=task_id)
    return task


def stop_chunks(session: Session, task_id: str) -> None:
    """Fence the chunks of a task that failed, then count what was committed.

    In this order: a chunk that is just committing holds its row, so it is either counted or fenced.
    """
    session.execute(
        update(Chunk)
        .where(Chunk.task_id == task_id, Chunk.state == ChunkState.LOADING)
        .values(
            state=ChunkState.OPEN,
            attempt=Chunk.attempt + 1,
            lease_expires_at=None,
            worker=None,
        )
    )
    sums = sum_chunks(session, [task_id])
    if task_id in sums:
        session.execute(update(Task).where(Task.id == task_id).values(counter_values(sums[task_id])))


def counter_values(counters: Counters) -> dict[str, int]:
    """The counters as columns of a task."""
    return {
        "created_records": counters.created,
        "updated_records": counters.updated,
        "skipped_records": counters.skipped,
        "rejected_records": counters.rejected,
    }


def completed_values() -> dict[str, Any]:
    """What every completed task's columns hold."""
    return {
        "state": TaskState.COMPLETED,
        "phase": None,
        "lease_expires_at": None,
        "completed_at": now(),
    }


def failed_values(code: str, message: str) -> dict[str, Any]:
    """What every failed task's columns hold; the phase stays, since it says where it failed."""
    return {
        "state": TaskState.FAILED,
        "lease_expires_at": None,
        "failed_at": now(),
        "error_code": code,
        "error_summary": message,
    }


def _write_as_owner(
    session: Session,
    task_id: str,
    attempt: int,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> None:
    """The fence: write only while the task runs under this very attempt."""
    written = session.scalar(
        update(Task)
        .where(
            Task.id == task_id,
            Task.attempt == attempt,
            Task.state == TaskState.PROCESSING,
            *conditions,
        )
        .values(updated_at=now(), **values)
        .returning(Task.id)
    )
    if written is None:
        raise FencedError(task_id=task_id, attempt=attempt)
