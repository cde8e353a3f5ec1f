"""The temporary table that a merge reads from, and the way around it for rows that are all new."""

from collections.abc import Iterable, Mapping

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.db.copying import driver_connection
from service.imports.columns.text import CLEARED
from service.imports.merge.copy_table import copy_table

_PROBES = 100


def stage_rows(session: Session, types: Mapping[str, str], table: pa.Table) -> None:
    """Make the table `staging` with these columns and SQL types, and copy those columns of the rows into it.

    It lives until the transaction ends, and is emptied for the next rows: each one made anew would hold locks until
    then, and a transaction of thousands would have no room for them.
    """
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in types.items())
    connection = driver_connection(session)
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS staging ({}) ON COMMIT DROP").format(columns))
    connection.execute("TRUNCATE pg_temp.staging")
    copy_table(session, "staging", table.select(list(types)))


def copy_new_rows(session: Session, name: str, key: str, scope_id: int, table: pa.Table) -> bool:
    """Copy rows straight into a table, in the order of their keys; False when it has one of the keys.

    Then nothing was written. A few keys are looked for first, since rows that were copied in vain leave
    their room behind; in the others' place the unique index answers.
    """
    step = max(1, table.num_rows // _PROBES)
    probes = table.column(key).take(pa.array(range(0, table.num_rows, step))).to_pylist()
    known = text(f"SELECT EXISTS (SELECT FROM {name} WHERE scope_id = :scope_id AND {key} = ANY(:probes))")
    if session.scalar(known, {"scope_id": scope_id, "probes": probes}):
        return False
    try:
        with session.begin_nested():
            copy_table(session, name, _sorted(table, key))
    except psycopg.errors.UniqueViolation:
        return False
    return True


def _sorted(table: pa.Table, key: str) -> pa.Table:
    """The rows by rising keys, as many files have them: neighbours share pages of the index."""
    keys = table.column(key).combine_chunks()
    if pc.all(pc.less_equal(keys[:-1], keys[1:]), min_count=0).as_py():
        return table
    return table.sort_by(key)


def find_known(session: Session, name: str, key: str, scope_id: int, table: pa.Table) -> pa.BooleanArray:
    """Where the key of a row is in a table already."""
    listed = text(f"SELECT {key} FROM {name} WHERE scope_id = :scope_id AND {key} = ANY(:keys)")
    known = session.scalars(listed, {"scope_id": scope_id, "keys": table.column(key).to_pylist()})
    return pc.is_in(table.column(key), pa.array(known.all(), pa.string()))


def clear_cells(session: Session, name: str, columns: Iterable[str], task_serial: int) -> None:
    """Take the values away that a blank cell clears, from the rows of `staging` that were just written."""
    cleared = ", ".join(
        f"{c} = CASE WHEN '{c}' = ANY(staging.{CLEARED}) THEN NULL ELSE {name}.{c} END" for c in columns
    )
    session.execute(
        text(f"""
            UPDATE {name} SET {cleared} FROM staging
            WHERE {name}.import_id = :import_id AND {name}.import_row = staging.row
              AND {name}.scope_id = staging.scope_id AND staging.{CLEARED} <> '{{}}'
        """),
        {"import_id": task_serial},
    )
