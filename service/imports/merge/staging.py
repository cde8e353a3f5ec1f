"""The temporary table that a merge reads from, filled by COPY."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy.orm import Session

from service.db.copying import copy_rows, driver_connection


def stage_rows(session: Session, types: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Make the table `staging` with these columns and SQL types, and copy the rows into it.

    It lives as long as the transaction. Objects and lists become jsonb.
    """
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in types.items())
    create = sql.SQL("CREATE TEMPORARY TABLE staging ({}) ON COMMIT DROP").format(columns)
    driver_connection(session).execute(create)
    copy_rows(session, "staging", tuple(types), rows)
