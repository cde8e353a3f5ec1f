"""Messages to workers: each is a nudge that carries a task's id and may be lost without harm."""

from enum import StrEnum
from typing import Any, Protocol

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from schemas.vocabulary import TaskType

_log = structlog.get_logger(__name__)


class Queue(StrEnum):
    """The queues that workers consume; start scripts name the same ones."""

    IMPORTS = "imports"
    EXPORTS = "exports"
    UPKEEP = "upkeep"


class EntryPoint(StrEnum):
    """The names under which `tasks` registers its Celery functions."""

    IMPORT = "wharf.import"
    EXPORT = "wharf.export"
    SWEEP = "wharf.sweep"
    TIDY_BUCKETS = "wharf.tidy_buckets"


ROUTES = {
    EntryPoint.IMPORT: Queue.IMPORTS,
    EntryPoint.EXPORT: Queue.EXPORTS,
    EntryPoint.SWEEP: Queue.UPKEEP,
    EntryPoint.TIDY_BUCKETS: Queue.UPKEEP,
}
ENTRY_POINTS = {TaskType.IMPORT: EntryPoint.IMPORT, TaskType.EXPORT: EntryPoint.EXPORT}

#: A request must not wait for a broker that is frozen: what is not sent at once is sent by the sweeper.
_TRANSPORT_OPTIONS: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.3, "max_retries": 0}


_BROKER_AWAY = (OperationalError, RedisError, OSError)


class Dispatcher(Protocol):
    """Puts messages on queues."""

    def dispatch(self, task_id: str, task_type: TaskType, copies: int = 1) -> bool:
        """Send a task's message to `copies` workers; False when the broker did not take it."""

    def answers(self) -> bool:
        """Whether the broker answers now."""


class CeleryDispatcher:
    """Dispatches by name, so that the web knows nothing of the workers' code."""

    def __init__(self, broker_url: str) -> None:
        """Take the broker's address; a connection is made with the first message."""
        self._celery = Celery("wharf", broker=broker_url, set_as_current=False)
        self._celery.conf.update(
            broker_transport_options=_TRANSPORT_OPTIONS,
            task_publish_retry=False,
            task_ignore_result=True,
        )

    def dispatch(self, task_id: str, task_type: TaskType, copies: int = 1) -> bool:
        """See Dispatcher; a broker that is down costs at most half a second and no error."""
        entry_point = ENTRY_POINTS[task_type]
        try:
            for _ in range(copies):
                self._celery.send_task(entry_point, args=[task_id], queue=ROUTES[entry_point], retry=False)
        except _BROKER_AWAY as error:
            _log.warning("dispatch_failed", task_id=task_id, error=type(error).__name__)
            return False
        return True

    def answers(self) -> bool:
        """See Dispatcher."""
        try:
            with self._celery.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=1, interval_start=0, interval_step=0)
        except _BROKER_AWAY:
            return False
        return True
