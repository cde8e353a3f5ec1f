"""How a session is opened: one engine for each process, made after the fork."""

import select
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]

_SESSION_OPTIONS = (
    # A worker frozen between its fence and its commit must not hold a row lock for ever.
    "-c idle_in_transaction_session_timeout=30s "
    # A lock that is not had soon is better tried again than waited for.
    "-c lock_timeout=10s "
    "-c timezone=UTC -c datestyle=ISO"
)


def engine_url(database_url: str) -> URL:
    """The same address with the driver that we use."""
    return make_url(database_url).set(drivername="postgresql+psycopg")


def make_engine(database_url: str, application_name: str, connections: int = 10) -> Engine:
    """An engine whose sessions have time limits; call it after fork, never at import.

    It keeps so many `connections`, and makes a few more for a while.
    """
    engine = create_engine(
        engine_url(database_url),
        # The text of an error must not quote a row.
        hide_parameters=True,
        pool_size=connections,
        # Who finds no place is told so, and tries again.
        pool_timeout=10,
        max_overflow=10,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            # A server that is gone without a word is given up after half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
            # Exports are UTF-8, whatever the database is.
            "client_encoding": "utf8",
            "options": _SESSION_OPTIONS,
            # PgBouncer in transaction mode keeps no prepared statements.
            "prepare_threshold": None,
        },
    )
    event.listen(engine, "checkout", _refuse_ended)
    return engine


def make_sessions(engine: Engine) -> Sessions:
    """A factory of sessions; `with sessions.begin() as session:` is one transaction."""
    return sessionmaker(engine, expire_on_commit=False)


def read_sessions(sessions: Sessions) -> Sessions:
    """Sessions for statements that need no transaction together: one round trip each instead of three."""
    return sessionmaker(sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False)


def _refuse_ended(connection: psycopg.Connection[Any], *_others: object) -> None:
    """Before a pooled connection is used: one that the server has ended meanwhile is replaced by a new one.

    So a server restarted between two requests costs a reconnection, not an error. The kernel knows of the end
    already: asking it costs microseconds, where a ping of the server costs each request a round trip.
    """
    if connection.closed or _is_hung_up(connection.fileno()):
        raise DisconnectionError


def _is_hung_up(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLRDHUP)
    return bool(poll.poll(0))
