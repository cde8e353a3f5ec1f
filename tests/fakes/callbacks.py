"""Callbacks that remember what was reported."""

from schemas.vocabulary import TaskType
from service.db.models import Task
from service.errors import FencedError
from service.tracking.callbacks import Callbacks
from service.tracking.lifecycle import ExportObject, ImportResult, StoredSource


class RecordingCallbacks(Callbacks):
    """Takes every report as (method, task's id, what was told); refuses all of them while `fenced` is set.

    Only tasks in `due` can be claimed, each once.
    """

    def __init__(self) -> None:
        """Begin with nothing due and nothing reported."""
        self.due: list[Task] = []
        self.reports: list[tuple[object, ...]] = []
        self.fenced = False

    def claim(self, task_type: TaskType, worker: str, task_id: str | None = None) -> Task | None:
        """See Callbacks."""
        for task in self.due:
            if task.task_type == task_type and task_id in {None, task.id}:
                self.due.remove(task)
                task.worker = worker
                return task
        return None

    def renew(self, task: Task, bytes_done: int) -> None:
        """See Callbacks."""
        self._report("renew", task, bytes_done)

    def fetched(self, task: Task, source: StoredSource) -> None:
        """See Callbacks."""
        self._report("fetched", task, source)

    def imported(self, task: Task, result: ImportResult) -> None:
        """See Callbacks."""
        self._report("imported", task, result)

    def stopped(self, task: Task, code: str, message: str, result: ImportResult) -> None:
        """See Callbacks."""
        self._report("stopped", task, code, message, result)

    def exported(self, task: Task, made: ExportObject) -> None:
        """See Callbacks."""
        self._report("exported", task, made)

    def retry(self, task: Task, error: str, delay_seconds: float) -> None:
        """See Callbacks."""
        self._report("retry", task, error, delay_seconds)

    def fail(self, task: Task, code: str, message: str) -> None:
        """See Callbacks."""
        self._report("fail", task, code, message)

    def _report(self, method: str, task: Task, *told: object) -> None:
        if self.fenced:
            raise FencedError(task_id=task.id, attempt=task.attempt)
        self.reports.append((method, task.id, *told))
