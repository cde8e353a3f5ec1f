"""The one moment whose rows an export holds: a read-only transaction, which other workers can look through as well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.db.copying import driver_connection
from service.db.session import Sessions

#: Rows carry the moment at which their transaction began, and those of a transaction that runs are not seen yet. So
#: this is asked before the snapshot is taken, of all transactions, since any of them may yet write: rows that carry an
#: earlier moment are in the snapshot or were undone. (Nothing here is ever prepared for a second phase.)
_COMPLETE_UNTIL = text(
    """
    SELECT least(
        clock_timestamp(),
        (SELECT min(xact_start) FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid())
    )
    """
)
#: It is open while the store is written to: the keeper's stall limit ends the attempt, not the server. Compiling the
#: expressions of a range would take as long as reading it.
_LIMITS = "SET LOCAL idle_in_transaction_session_timeout = '10min'", "SET LOCAL jit = off"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an export sees: rows created or ingested before `complete_until` are all there, later ones perhaps."""

    session: Session
    taken_at: datetime
    complete_until: datetime

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The driver's connection, for COPY."""
        return driver_connection(self.session)


@contextmanager
def take_snapshot(sessions: Sessions) -> Iterator[Snapshot]:
    """See the tables as they are now, until the block ends."""
    with sessions() as session:
        complete_until = session.scalars(_COMPLETE_UNTIL).one()
    with _reading(sessions) as session:
        _set_limits(session)
        taken_at = session.scalars(text("SELECT clock_timestamp()")).one()
        yield Snapshot(session, taken_at, complete_until)


@contextmanager
def adopt_snapshot(sessions: Sessions, name: str) -> Iterator[psycopg.Connection[Any]]:
    """See the tables as another worker's open snapshot does; raises psycopg's errors when that is gone."""
    with _reading(sessions) as session:
        connection = driver_connection(session)
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(name)))
        _set_limits(session)
        yield connection


def share_snapshot(snapshot: Snapshot) -> str:
    """The name by which other workers adopt it while it is open."""
    return str(snapshot.session.scalar(text("SELECT pg_export_snapshot()")))


@contextmanager
def _reading(sessions: Sessions) -> Iterator[Session]:
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        try:
            yield session
        except BaseException:
            # A COPY may be half read; nobody waits for the rest of it.
            session.invalidate()
            raise


def _set_limits(session: Session) -> None:
    for statement in _LIMITS:
        session.execute(text(statement))
