"""The temporary table that a merge reads from, filled by COPY."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session


def stage_rows(session: Session, types: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Make the table `staging` with these columns and SQL types, and copy the rows into it.

    It lives as long as the transaction. Objects and lists become jsonb.
    """
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101  # tells mypy which driver this is
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in types.items())
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE staging ({}) ON COMMIT DROP").format(columns))
        with cursor.copy("COPY staging FROM STDIN") as copy:
            for row in rows:
                copy.write_row([Jsonb(cell) if isinstance(cell, dict | list) else cell for cell in row])
