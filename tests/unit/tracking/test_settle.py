"""What becomes of a task after an error: retried, failed or left alone; and what of the error is logged."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.testing import capture_logs

from schemas.vocabulary import ErrorKind
from service.db.models import Task
from service.errors import FencedError, SourceRefusedError, SourceUnavailableError, StoreRefusedError, WharfError
from service.tracking.settle import (
    DatabaseAwayError,
    UnexpectedError,
    backoff_seconds,
    log_failure,
    settle_task,
    translate,
)
from tests.fakes.callbacks import RecordingCallbacks

MARKER = "ann@example.com owes 12"


class _StatedError(psycopg.DatabaseError):
    """A driver's error with the SQLSTATE that a test wants."""

    def __init__(self, state: str | None) -> None:
        super().__init__(MARKER)
        self.sqlstate = state


def database_error(state: str | None, *, lost: bool = False) -> DBAPIError:
    """What SQLAlchemy raises for an error with this SQLSTATE; `lost` when the connection went with it."""
    return DBAPIError("SELECT", {}, _StatedError(state), connection_invalidated=lost)


def make_task(attempt: int, final_attempt: int = 5) -> Task:
    """A claimed task, not in any table."""
    return Task(id="task_1", attempt=attempt, final_attempt=final_attempt)


def settled(error: Exception, attempt: int = 1) -> list[tuple[object, ...]]:
    """What is reported when the error ends this attempt of five."""
    callbacks = RecordingCallbacks()
    settle_task(callbacks, make_task(attempt), error)
    return callbacks.reports


@pytest.mark.parametrize("state", ["08006", "40001", "40P01", "53300", "55P03", "57014", "57P01"])
def test_translate_calls_it_the_database_that_is_away(state: str) -> None:
    problem = translate(database_error(state))
    assert (type(problem), problem.kind, problem.code) == (
        DatabaseAwayError,
        ErrorKind.TRANSIENT,
        "database_unavailable",
    )


@pytest.mark.parametrize("state", ["22P02", "23505", "23514", "42703", "XX000"])
def test_translate_calls_a_mistake_in_a_statement_unexpected(state: str) -> None:
    problem = translate(database_error(state))
    assert (type(problem), problem.kind, problem.code) == (UnexpectedError, ErrorKind.FATAL, "internal_error")


@pytest.mark.parametrize("state", ["25P03", "25P04", "XX000"])
def test_translate_calls_any_error_that_ended_the_connection_transient(state: str) -> None:
    # Our own sessions set idle_in_transaction_session_timeout, which ends a frozen worker's with 25P03.
    assert type(translate(database_error(state, lost=True))) is DatabaseAwayError


@pytest.mark.parametrize("error", [psycopg.OperationalError(MARKER), psycopg.InterfaceError(MARKER)])
def test_translate_calls_a_server_that_cannot_be_spoken_to_away(error: psycopg.Error) -> None:
    coated = DBAPIError("SELECT", {}, error)
    assert [type(translate(error)), type(translate(coated))] == [DatabaseAwayError, DatabaseAwayError]


def test_translate_calls_a_pool_without_a_free_connection_the_database_that_is_away() -> None:
    assert type(translate(PoolTimeoutError())) is DatabaseAwayError


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_translate_reads_the_state_whatever_class_sqlalchemy_gives_the_error(kind: type[DBAPIError]) -> None:
    assert type(translate(kind("SELECT", {}, _StatedError("57P01")))) is DatabaseAwayError


@pytest.mark.parametrize("state", ["08006", "40P01", "53100", "57014", "57P01"])
def test_translate_knows_a_database_that_is_away_from_the_driver_s_own_error(state: str) -> None:
    # COPY is called on the driver's connection, so SQLAlchemy does not wrap what it raises.
    assert type(translate(_StatedError(state))) is DatabaseAwayError


def test_translate_keeps_our_own_errors_as_they_are() -> None:
    error = SourceRefusedError("The file is empty")
    assert translate(error) is error


def test_translate_names_an_unexpected_error_by_its_class_alone() -> None:
    message = "An unexpected error occurred while the task ran (KeyError); the worker's log has more"
    assert translate(KeyError(MARKER)).message == message
    assert translate(IntegrityError("INSERT", {}, _StatedError("23505"))).message == message.replace(
        "KeyError", "IntegrityError"
    )


@given(failures=st.integers(min_value=1, max_value=1000))
def test_backoff_doubles_from_a_second_to_five_minutes_give_or_take_a_fifth(failures: int) -> None:
    middle = min(2 ** (failures - 1), 300)
    assert 0.8 * middle <= backoff_seconds(failures) <= 1.2 * middle


@pytest.mark.parametrize("attempt", [1, 4, 5])
def test_a_usage_error_fails_at_once_with_its_own_words(attempt: int) -> None:
    error = SourceRefusedError("The file is empty")
    assert settled(error, attempt) == [("fail", "task_1", "source_refused", "The file is empty")]


def test_a_fatal_error_fails_at_once() -> None:
    error = StoreRefusedError("The bucket is not ours")
    assert settled(error) == [("fail", "task_1", "store_refused", "The bucket is not ours")]


def test_an_unforeseen_error_fails_without_its_text() -> None:
    assert settled(ValueError(MARKER)) == [
        (
            "fail",
            "task_1",
            "internal_error",
            "An unexpected error occurred while the task ran (ValueError); the worker's log has more",
        )
    ]


@pytest.mark.parametrize(("attempt", "middle"), [(1, 1), (2, 2), (4, 8)])
def test_a_transient_error_is_retried_while_attempts_are_left(attempt: int, middle: int) -> None:
    [(method, task_id, error, delay_seconds)] = settled(SourceUnavailableError("The host is away"), attempt)
    assert (method, task_id, error) == ("retry", "task_1", "The host is away")
    assert isinstance(delay_seconds, float)
    assert 0.8 * middle <= delay_seconds <= 1.2 * middle


def test_a_transient_error_of_the_final_attempt_fails_and_says_how_often_it_was_tried() -> None:
    assert settled(SourceUnavailableError("The host is away"), attempt=5) == [
        ("fail", "task_1", "source_unavailable", "The host is away (given up after 5 attempts)")
    ]


def test_a_database_that_is_away_is_a_reason_to_retry() -> None:
    [(method, _, error, _)] = settled(database_error("57P01"))
    assert (method, error) == ("retry", DatabaseAwayError().message)


@pytest.mark.parametrize(("retry_after", "expected"), [(90, 90), (90.5, 90.5)])
def test_a_source_that_says_how_long_to_wait_is_waited_for(retry_after: float, expected: float) -> None:
    error = SourceUnavailableError("Too many requests", retry_after=retry_after)
    assert settled(error) == [("retry", "task_1", "Too many requests", expected)]


@pytest.mark.parametrize("retry_after", [None, 0, 0.1])
def test_a_short_retry_after_does_not_shorten_the_backoff(retry_after: float | None) -> None:
    [(*_, delay_seconds)] = settled(SourceUnavailableError("Too many requests", retry_after=retry_after), attempt=3)
    assert isinstance(delay_seconds, float)
    assert 3.2 <= delay_seconds <= 4.8


def test_a_fenced_attempt_changes_nothing() -> None:
    with capture_logs() as logs:
        assert settled(FencedError(task_id="task_1", attempt=2), attempt=2) == []
    assert logs == [{"event": "attempt_fenced", "task_id": "task_1", "attempt": 2, "log_level": "info"}]


@pytest.mark.parametrize("error", [SourceUnavailableError("The host is away"), SourceRefusedError("Empty"), KeyError()])
def test_an_attempt_that_learns_of_its_fence_when_it_is_settled_changes_nothing(error: Exception) -> None:
    callbacks = RecordingCallbacks()
    callbacks.fenced = True
    settle_task(callbacks, make_task(attempt=2), error)
    assert callbacks.reports == []


def raised(error: Exception) -> Exception:
    """The error with a traceback."""
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError(MARKER), None),
        (WharfError(MARKER, value=MARKER), "internal_error"),
        (database_error("23514"), "dbapi"),
        (ExceptionGroup(MARKER, [KeyError(MARKER)]), None),
    ],
)
def test_log_failure_tells_class_code_and_place_but_never_the_text(error: Exception, code: Any) -> None:
    with capture_logs() as logs:
        log_failure("attempt_failed", raised(error), task_id="task_1", attempt=3)
    [entry] = logs
    frames = entry.pop("frames")
    assert entry == {
        "event": "attempt_failed",
        "error": type(error).__name__,
        "code": code,
        "task_id": "task_1",
        "attempt": 3,
        "log_level": "warning",
    }
    assert [frame.partition(":")[0] for frame in frames] == [__file__]
    assert frames[0].endswith(" raised")
    assert MARKER not in str(logs)


def test_settling_logs_nothing_of_the_error_s_text() -> None:
    with capture_logs() as logs:
        settled(raised(database_error("23514")))
    assert [entry["event"] for entry in logs] == ["attempt_failed"]
    assert MARKER not in str(logs)
