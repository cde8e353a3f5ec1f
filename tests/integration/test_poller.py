"""The poller beside a worker: work goes on without a broker, and the poller lasts as long as its worker."""

import os
from collections.abc import Callable
from dataclasses import replace
from threading import Event

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select, update
from structlog.testing import capture_logs

from schemas.vocabulary import EntityType, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import Customer, Scope, Task
from service.stack.servers import RunningServers
from service.tracking.status import change_status
from service.tracking.workbench import Workbench
from tasks.poller import poll
from tests.factories.tasks import reload, submit_export, submit_import
from tests.fakes.dispatch import RecordingDispatcher
from tests.fakes.triggers import TriggeredStore

CONTENT = "external_id,name\nc-1,One\n"


class Rounds(Event):
    """Is set after so many rounds; before each of them, something happens to the world."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        """Take what happens before each round."""
        super().__init__()
        self._happenings = list(happenings)
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Wait no time at all."""
        self.waited.append(timeout)
        if not self._happenings:
            self.set()
        else:
            self._happenings.pop(0)()
        return self.is_set()


def nothing() -> None:
    """Nothing happens."""


def make_due(bench: Workbench) -> None:
    """Every message was lost long ago."""
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(dispatched_at=seconds_from_now(-3600)))


def test_a_poller_whose_broker_is_away_runs_what_is_due_itself(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    tasks = [
        submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT),
        submit_export(bench, scope, EntityType.CUSTOMERS),
        submit_export(bench, scope, EntityType.EVENTS),
    ]
    make_due(bench)
    dispatcher.away = True
    rounds = Rounds(nothing)
    poll(bench, rounds, os.getppid())
    assert [reload(bench, task).state for task in tasks] == [TaskState.COMPLETED] * 3
    with bench.sessions() as session:
        assert session.scalars(select(Customer.external_id)).all() == ["c-1"]
    assert rounds.waited == [bench.settings.reap_seconds] * 2
    assert dispatcher.sent == []


def test_a_poller_whose_broker_is_there_only_sends(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    make_due(bench)
    poll(bench, Rounds(nothing, nothing), os.getppid())
    assert reload(bench, task).state == TaskState.PENDING
    assert dispatcher.sent == [(task.id, TaskType.IMPORT)]


def test_a_poller_that_is_told_to_stop_does_nothing_more(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    make_due(bench)
    poll(bench, Rounds(), os.getppid())
    assert dispatcher.sent == []


def test_a_poller_ends_when_its_worker_is_gone(bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher) -> None:
    submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    make_due(bench)
    rounds = Rounds(nothing, nothing)
    poll(bench, rounds, parent=os.getpid())
    assert (dispatcher.sent, rounds.waited) == ([], [bench.settings.reap_seconds])


def test_a_poller_outlives_a_database_that_is_away_for_a_while(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher, servers: RunningServers, database_url: str
) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    make_due(bench)
    dispatcher.away = True
    rounds = Rounds(
        lambda: allow_connections(servers, database_url, allowed=False),
        lambda: allow_connections(servers, database_url, allowed=True),
    )
    with capture_logs() as logs:
        poll(bench, rounds, os.getppid())
    assert [(entry["event"], entry["error"]) for entry in logs if "error" in entry] == [
        ("poll_failed", "OperationalError")
    ]
    assert reload(bench, task).state == TaskState.COMPLETED


def allow_connections(servers: RunningServers, database_url: str, *, allowed: bool) -> None:
    """Open the test's database, or close it and end all its sessions."""
    name = database_url.rpartition("/")[2]
    setting = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        connection.execute(setting.format(sql.Identifier(name), sql.SQL("true" if allowed else "false")))
        if not allowed:
            ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ended, [name])


@pytest.mark.parametrize("failing", [set(), {"put"}])
def test_a_poller_outlives_a_task_that_is_taken_away_from_it(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher, failing: set[str]
) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    later = submit_export(bench, scope, EntityType.EVENTS)
    make_due(bench)
    dispatcher.away = True
    store = TriggeredStore(lambda: stop(bench, scope, task))
    store.failing = failing
    poll(replace(bench, store=store), Rounds(nothing), os.getppid())
    assert reload(bench, task).error_code == "stopped"
    assert reload(bench, later).attempt == 1


def stop(bench: Workbench, scope: Scope, task: Task) -> None:
    with bench.sessions.begin() as session:
        change_status(session, scope.id, task.id, TaskState.FAILED, "user_test", max_attempts=5)
