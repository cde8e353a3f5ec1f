"""The sweep: what was left behind is due again, and what was not heard of is sent again.

Any number of sweepers may run side by side; rows that one of them holds are skipped by the others.
"""

import structlog
from sqlalchemy.exc import DBAPIError

from schemas.vocabulary import TaskType
from service.db.models import Chunk, Task
from service.errors import FencedError
from service.idempotency import forget_old_answers
from service.imports.chunks import reap_chunks
from service.tracking.lease import mark_undelivered, reap_tasks, take_undelivered
from service.tracking.settle import log_failure
from service.tracking.task_counts import add_up_changes
from service.tracking.workbench import Workbench

_log = structlog.get_logger(__name__)


def sweep(bench: Workbench) -> bool:
    """Reap what expired, give up what was lost too often, tidy, send what is due; False if the broker takes nothing."""
    with bench.sessions.begin() as session:
        tasks, chunks = reap_tasks(session), reap_chunks(session)
    # A transaction of its own: who stops a task takes its row first and its chunks' after.
    with bench.sessions.begin() as session:
        owners = {task.id: task for task in mark_undelivered(session, {chunk.task_id for chunk in chunks})}
    for task in tasks:
        _log.warning("lease_reaped", task_id=task.id, attempt=task.attempt)
        if task.attempt >= task.final_attempt:
            _give_up(bench, task, f"in phase {task.phase}", task.attempt)
    for chunk in chunks:
        _log.warning("chunk_reaped", task_id=chunk.task_id, chunk=chunk.number, attempt=chunk.attempt)
        if chunk.failures >= bench.settings.max_attempts:
            _give_up(bench, owners[chunk.task_id], _rows_of(chunk), chunk.failures)
    sent = _send_due(bench)
    _tidy(bench)
    return sent


def _tidy(bench: Workbench) -> None:
    """A little each time, so that nothing piles up; last, and no work waits for it when it fails."""
    for step in (add_up_changes, forget_old_answers):
        try:
            with bench.sessions.begin() as session:
                step(session)
        except DBAPIError as error:
            log_failure("tidy_failed", error, step=step.__name__)


def _rows_of(chunk: Chunk) -> str:
    return f"at rows {chunk.first_row} to {chunk.first_row + chunk.row_count - 1}"


def _give_up(bench: Workbench, task: Task, where: str, times: int) -> None:
    message = f"The worker stopped {times} times {where}; the worker's log has more, PROCESSING tries again"
    try:
        bench.callbacks.fail(task, "worker_lost", message)
    except FencedError:
        _log.info("already_settled", task_id=task.id)


def _send_due(bench: Workbench) -> bool:
    """Stops at the first message that the broker does not take: the others would only wait for it as well."""
    with bench.sessions.begin() as session:
        due = take_undelivered(session, bench.settings.resend_seconds)
    return all(bench.dispatcher.dispatch(task.id, TaskType(task.task_type)) for task in due)
