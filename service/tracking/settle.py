"""What becomes of work that raised an error: the one place that maps an error's kind to retry or fail."""

import random
from traceback import extract_tb
from typing import assert_never

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from schemas.vocabulary import ErrorKind
from service.db.models import Task
from service.errors import FencedError, WharfError
from service.tracking.callbacks import Callbacks

_log = structlog.get_logger(__name__)

_LONGEST_DELAY_SECONDS = 300.0
_LONGEST_ASKED_SECONDS = 3600.0
_UNEXPECTED = "An unexpected error occurred while the task ran ({name}); the worker's log has more"


class DatabaseAwayError(WharfError):
    """The database did not answer or gave up the transaction; it is tried again."""

    code = "database_unavailable"
    kind = ErrorKind.TRANSIENT


class UnexpectedError(WharfError):
    """An unexpected error occurred."""

    kind = ErrorKind.FATAL


#: Classes of SQLSTATE after which the same transaction may well succeed: connection lost (08),
#: too long in a transaction (25P), rolled back by a deadlock or a conflict (40), resources short (53), lock not
#: had (55), server stopping (57).
_TRANSIENT_STATES = ("08", "25P", "40", "53", "55", "57")


def translate(error: Exception) -> WharfError:
    """Any error as one of ours; what nobody foresaw is fatal and named without its contents."""
    if isinstance(error, WharfError):
        return error
    if is_database_away(error):
        return DatabaseAwayError()
    return UnexpectedError(_UNEXPECTED.format(name=type(error).__name__))


def is_database_away(error: Exception) -> bool:
    """Whether the database was not there, had no place or gave the transaction up: another try may succeed.

    COPY speaks to the driver itself, so the error may come without SQLAlchemy's coat.
    """
    if isinstance(error, PoolTimeoutError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return cause.sqlstate.startswith(_TRANSIENT_STATES)


def backoff_seconds(failures: int) -> float:
    """How long to wait after so many failures: doubling from one second to five minutes, give or take a fifth."""
    delay = min(2.0 ** (failures - 1), _LONGEST_DELAY_SECONDS)
    return delay * random.uniform(0.8, 1.2)  # noqa: S311  # spreads retries; nothing secret about it


def settle_task(callbacks: Callbacks, task: Task, error: Exception) -> None:
    """Hand a claimed task back or fail it, as the error's kind says; a fenced attempt changes nothing."""
    problem = translate(error)
    if not isinstance(problem, FencedError):
        log_failure("attempt_failed", error, task_id=task.id, attempt=task.attempt)
        try:
            _report(callbacks, task, problem)
        except FencedError as fenced:
            problem = fenced
    if isinstance(problem, FencedError):
        _log.info("attempt_fenced", task_id=task.id, attempt=task.attempt)


def _report(callbacks: Callbacks, task: Task, problem: WharfError) -> None:
    match problem.kind:
        case ErrorKind.TRANSIENT if task.attempt < task.final_attempt:
            delay_seconds = max(backoff_seconds(task.attempt), _asked_delay(problem))
            callbacks.retry(task, problem.message, delay_seconds)
        case ErrorKind.TRANSIENT:
            callbacks.fail(task, problem.code, f"{problem.message} (given up after {task.attempt} attempts)")
        case ErrorKind.USAGE | ErrorKind.FATAL:
            callbacks.fail(task, problem.code, problem.message)
        case _:
            assert_never(problem.kind)


def _asked_delay(problem: WharfError) -> float:
    """How long the other side asked us to wait, within reason."""
    return min(problem.details.get("retry_after") or 0, _LONGEST_ASKED_SECONDS)


def log_failure(event: str, error: Exception, **fields: object) -> None:
    """Log an error's class and where it was raised; never its text, which may quote a row."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    _log.warning(
        event,
        error=type(error).__name__,
        code=getattr(error, "code", None),
        frames=frames[-8:],
        **fields,
    )
