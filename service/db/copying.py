"""COPY into a table: the fastest way in, within the session's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into these columns of a table.

    The driver does it itself, so what it raises are its own errors, not SQLAlchemy's.
    """
    with copying(session, table, columns) as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def copying(session: Session, table: str, columns: Sequence[str]) -> Iterator[psycopg.Copy]:
    """A COPY into these columns of a table that goes on until the block ends."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with driver_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        yield copy


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection under a session, for what SQLAlchemy has no words for."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101  # tells mypy which driver this is
    return connection
