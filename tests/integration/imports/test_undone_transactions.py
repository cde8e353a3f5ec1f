"""Transactions that PostgreSQL itself undoes: the chunk is loaded again, and nothing is lost or counted twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
import pytest
from sqlalchemy import text, update

from schemas.vocabulary import EntityType, TaskState
from service.db.clock import now
from service.db.models import Chunk, Scope, Task
from service.imports.run import run_import_step
from service.tracking.workbench import Workbench
from tests.acceptance.conftest import wait_until
from tests.factories.tasks import reload
from tests.integration.imports.lives import column, counts, names, run, run_to_end, submit_file

BEFORE = "external_id,name\nc-1,One\nc-2,Two\n"
AFTER = "external_id,name\nc-1,Uno\nc-2,Due\nc-3,Trois\n"


@contextmanager
def someone_else(bench: Workbench) -> Iterator[psycopg.Connection]:
    """A connection that never gives way: of two who wait for each other, the other one is undone."""
    with psycopg.connect(bench.settings.database_url) as connection:
        connection.execute("SET deadlock_timeout = '60s'")
        yield connection


def touch(connection: psycopg.Connection, external_id: str) -> None:
    connection.execute("UPDATE customers SET updated_at = now() WHERE external_id = %s", [external_id])


def is_waiting(bench: Workbench) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with bench.sessions() as session:
        return bool(session.scalar(waiting))


def finish(bench: Workbench, task: Task) -> Task:
    """The task after its chunk, which waits a moment before its next try, was due at once."""
    with bench.sessions.begin() as session:
        session.execute(update(Chunk).values(due_at=now()))
    return run_to_end(bench, task)


def last_errors(bench: Workbench) -> list[tuple[int, str | None]]:
    failures, errors = column(bench, Chunk.failures, Chunk.task_id), column(bench, Chunk.last_error, Chunk.task_id)
    return [(count, error) for count, error in zip(failures, errors, strict=True) if count]


def test_a_chunk_that_lost_a_deadlock_is_loaded_again(bench: Workbench, scope: Scope) -> None:
    run(bench, scope, EntityType.CUSTOMERS, BEFORE)
    task = submit_file(bench, scope, EntityType.CUSTOMERS, AFTER)
    run_import_step(bench)
    loader = Thread(target=run_import_step, args=(bench,))
    with someone_else(bench) as other:
        touch(other, "c-2")
        loader.start()
        # It has c-1 by now and waits for c-2.
        wait_until(lambda: is_waiting(bench), 30)
        touch(other, "c-1")
        other.commit()
    loader.join()
    assert last_errors(bench) == [(1, "The database did not answer or gave up the transaction; it is tried again")]
    assert (reload(bench, task).state, names(bench)) == (TaskState.PROCESSING, {"c-1": "One", "c-2": "Two"})
    ended = finish(bench, task)
    assert (ended.state, counts(ended)) == (TaskState.COMPLETED, (1, 2, 0, 0))
    assert names(bench) == {"c-1": "Uno", "c-2": "Due", "c-3": "Trois"}


@pytest.mark.parametrize("state", ["40001", "55P03"])
def test_a_chunk_whose_transaction_was_given_up_is_loaded_again(bench: Workbench, scope: Scope, state: str) -> None:
    task = submit_file(bench, scope, EntityType.CUSTOMERS, AFTER)
    run_import_step(bench)
    with bench.sessions.begin() as session:
        session.execute(text(_GIVE_UP_ONCE.format(state=state)))
    run_import_step(bench)
    assert [count for count, _ in last_errors(bench)] == [1]
    assert names(bench) == {}
    ended = finish(bench, task)
    assert (ended.state, counts(ended)) == (TaskState.COMPLETED, (3, 0, 0, 0))
    assert names(bench) == {"c-1": "Uno", "c-2": "Due", "c-3": "Trois"}


#: The third row of the first try is given up as in a conflict with another transaction; a sequence is not undone.
_GIVE_UP_ONCE = """
CREATE SEQUENCE tries;
CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('tries') = 3 THEN
    RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'given up';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER give_up BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION give_up();
"""
