"""Connections of the pool: one that the server has ended is replaced before it is used."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DisconnectionError

from service.db.session import Sessions, _refuse_ended, make_engine, make_sessions, read_sessions


@pytest.fixture
def sessions(database_url: str) -> Iterator[Sessions]:
    """Sessions over one connection."""
    engine = make_engine(database_url, "pool test")
    yield make_sessions(engine)
    engine.dispose()


def end_connections(database_url: str) -> None:
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pool test'"
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute(ended).fetchall() == [(True,)]


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, application_name="pool test") as connection:
        yield connection


def test_a_connection_that_the_server_ended_is_replaced(sessions: Sessions, database_url: str) -> None:
    for _ in range(2):
        with sessions() as session:
            assert session.scalar(text("SELECT 1")) == 1
        end_connections(database_url)
    with read_sessions(sessions)() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_connection_that_is_whole_is_used_again(sessions: Sessions) -> None:
    pids = set()
    for _ in range(3):
        with sessions() as session:
            pids.add(session.scalar(text("SELECT pg_backend_pid()")))
    assert len(pids) == 1


def test_an_ended_connection_is_known_without_asking_the_server(database_url: str) -> None:
    with connected(database_url) as connection:
        connection.execute("SELECT 1")
        _refuse_ended(connection)
        connection.rollback()
        end_connections(database_url)
        with pytest.raises(DisconnectionError):
            _refuse_ended(connection)


def test_a_single_read_leaves_no_transaction_open(sessions: Sessions) -> None:
    with read_sessions(sessions)() as session:
        first, second = (session.scalar(text("SELECT now()")) for _ in range(2))
    assert first != second
