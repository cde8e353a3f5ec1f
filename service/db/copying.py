"""COPY into a table: the fastest way in, within the session's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into these columns of a table; objects and lists become jsonb.

    The driver does it itself, so what it raises are its own errors, not SQLAlchemy's.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([Jsonb(cell) if isinstance(cell, dict | list) else cell for cell in row])


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection under a session, for what SQLAlchemy has no words for."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101  # tells mypy which driver this is
    return connection
