"""What the rows of tasks came to: sums over chunks while a task runs, stored numbers afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.vocabulary import ChunkState, Outcome, TaskState, TaskType
from service.db.models import Chunk, Task


@dataclass(frozen=True, slots=True)
class Counters:
    """Rows by what happened to them; skipped rows count as successful."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0

    @property
    def successful(self) -> int:
        """Rows that did not have to be refused."""
        return self.created + self.updated + self.skipped

    @property
    def processed(self) -> int:
        """Rows that were looked at."""
        return self.successful + self.rejected


def sum_chunks(session: Session, task_ids: Iterable[str]) -> dict[str, Counters]:
    """The counters of imports, from the chunks that are loaded."""
    listed = list(task_ids)
    sums = session.execute(
        select(
            Chunk.task_id,
            func.sum(Chunk.created_records),
            func.sum(Chunk.updated_records),
            func.sum(Chunk.skipped_records),
            func.sum(Chunk.rejected_records),
        )
        .where(Chunk.task_id.in_(listed), Chunk.state == ChunkState.LOADED)
        .group_by(Chunk.task_id)
    )
    return {task_id: Counters(*(int(value) for value in values)) for task_id, *values in sums}


def current_counters(session: Session, tasks: Iterable[Task]) -> dict[str, Counters]:
    """The counters of each task by id, in one query for all that are being loaded now."""
    tasks = list(tasks)
    loading = [task.id for task in tasks if task.state == TaskState.PROCESSING and task.task_type == TaskType.IMPORT]
    sums = sum_chunks(session, loading) if loading else {}
    return {task.id: sums.get(task.id) or stored_counters(task) for task in tasks}


def stored_counters(task: Task) -> Counters:
    """The counters that were written when the task ended."""
    return Counters(
        task.created_records,
        task.updated_records,
        task.skipped_records,
        task.rejected_records,
    )


def outcome_of(task: Task) -> Outcome | None:
    """What a finished task came to; None while it is not finished."""
    match task.state:
        case TaskState.FAILED:
            return Outcome.FAILED
        case TaskState.CANCELLED:
            return Outcome.CANCELLED
        case TaskState.COMPLETED:
            return _outcome_of_rows(stored_counters(task))
        case _:
            return None


def _outcome_of_rows(counters: Counters) -> Outcome:
    if not counters.rejected:
        return Outcome.SUCCEEDED
    return Outcome.PARTIAL if counters.successful else Outcome.FAILED
