"""What a worker reports about a task: one interface, whatever carries the report."""

from typing import Protocol

from schemas.vocabulary import TaskType
from service.db.models import Task
from service.db.session import Sessions
from service.tracking import lease, lifecycle
from service.tracking.lifecycle import ExportObject, ImportResult, StoredSource


class Callbacks(Protocol):
    """A worker's reports; each is durable when it returns.

    Every method but `claim` raises FencedError when the task is no longer the worker's.
    """

    def claim(self, task_type: TaskType, worker: str, task_id: str | None = None) -> Task | None:
        """Take a due task, the one named or the one due for longest; None when there is none."""

    def renew(self, task: Task, bytes_done: int) -> None:
        """Move the end of the lease and tell the progress in bytes."""

    def fetched(self, task: Task, source: StoredSource) -> None:
        """The source is stored and its chunks are planned."""

    def imported(self, task: Task, result: ImportResult) -> None:
        """All rows have an answer."""

    def stopped(self, task: Task, code: str, message: str, result: ImportResult) -> None:
        """An import that loads no more chunks is finished."""

    def exported(self, task: Task, made: ExportObject) -> None:
        """The object is whole."""

    def retry(self, task: Task, error: str, delay_seconds: float) -> None:
        """A transient error: hand the task back until the delay is over."""

    def fail(self, task: Task, code: str, message: str) -> None:
        """Give up."""


class SqlCallbacks:
    """Reports straight into the tables, a transaction each."""

    def __init__(self, sessions: Sessions, lease_seconds: int) -> None:
        """Take where the tables are and how long a lease lasts."""
        self._sessions = sessions
        self._lease_seconds = lease_seconds

    def claim(self, task_type: TaskType, worker: str, task_id: str | None = None) -> Task | None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            return lease.claim_task(session, task_type, worker, self._lease_seconds, task_id)

    def renew(self, task: Task, bytes_done: int) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lease.renew_lease(session, task.id, task.attempt, self._lease_seconds, bytes_done)

    def fetched(self, task: Task, source: StoredSource) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.begin_loading(session, task.id, task.attempt, source)

    def imported(self, task: Task, result: ImportResult) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.complete_import(session, task.id, task.attempt, result)

    def stopped(self, task: Task, code: str, message: str, result: ImportResult) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.end_stopped_import(session, task.id, task.attempt, code, message, result)

    def exported(self, task: Task, made: ExportObject) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.complete_export(session, task.id, task.attempt, made)

    def retry(self, task: Task, error: str, delay_seconds: float) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.retry_later(session, task, error, delay_seconds)

    def fail(self, task: Task, code: str, message: str) -> None:
        """See Callbacks."""
        with self._sessions.begin() as session:
            lifecycle.fail_task(session, task, code, message)
