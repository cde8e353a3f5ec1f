"""Customers: made or changed by external_id."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.options import Blank, Mode
from service.db.models import Task
from service.ids import new_ids
from service.imports.columns.text import CLEARED, ROW
from service.imports.merge.folding import FoldedRow, fold_table, split_repeats, to_table
from service.imports.merge.refuse import refuse_taken, refuse_unknown, without_rows
from service.imports.merge.result import Merged, Merging
from service.imports.merge.staging import clear_cells, copy_new_rows, find_known, stage_rows
from service.tracking.counters import Counters

_KEY = "external_id"
_TEXT_COLUMNS = (
    _KEY,
    "name",
    "email",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
)
_STAGING = {
    "id": "text",
    "scope_id": "integer",
    ROW: "bigint",
    **dict.fromkeys(_TEXT_COLUMNS, 'text COLLATE "C"'),
    "metadata": "jsonb",
}

_LISTED = ", ".join(_TEXT_COLUMNS)

_INSERT = f"""
    INSERT INTO customers (id, scope_id, import_id, import_row, {_LISTED}, metadata)
    SELECT id, scope_id, :import_id, row, {_LISTED}, COALESCE(metadata, '{{}}')
    FROM staging ORDER BY external_id
    ON CONFLICT (scope_id, external_id)"""


def _changes(new: str, row: str) -> str:
    """What a row changes of the customer that it names."""
    kept = ", ".join(f"{column} = COALESCE({new}.{column}, customers.{column})" for column in _TEXT_COLUMNS)
    return f"""SET {kept}, metadata = customers.metadata || COALESCE({new}.metadata, '{{}}'),
        import_id = :import_id, import_row = {new}.{row}, updated_at = now()"""


_WRITE = {
    Mode.UPSERT: f"{_INSERT} DO UPDATE {_changes('excluded', 'import_row')} WHERE true",
    # A change has no name, so it could not be inserted.
    Mode.UPDATE: f"""
        UPDATE customers {_changes("staging", "row")} FROM staging
        WHERE customers.scope_id = staging.scope_id AND customers.external_id = staging.external_id""",
}

#: Behind each: a key that another chunk of this task has written is not written again. Which of the two rows comes
#: later in the file may differ from which came first, so the row waits for the end of the task. The
#: condition is seen under the row's lock, so two chunks that merge at once cannot both pass.
_ONCE = " AND customers.import_id <> :import_id"

#: An UPDATE takes its locks in any order; in that of keys nobody waits for each other.
_LOCK = text("""
    SELECT FROM customers JOIN staging USING (scope_id, external_id)
    ORDER BY external_id FOR NO KEY UPDATE OF customers
""")

_SET_ASIDE = text("""
    INSERT INTO rows_set_aside (task_id, row, key, "values")
    SELECT :task_id, row, external_id, to_jsonb(staging) - '{id,scope_id,row}'::text[]
    FROM staging JOIN customers USING (scope_id, external_id)
    WHERE (customers.import_id, customers.import_row) <> (:import_id, staging.row)
""")

#: The row that was written first in time but stands later in the file: it has to be applied again after
#: the ones set aside, so its values are needed once more.
_REMEMBER_WRITTEN = text("""
    INSERT INTO rows_set_aside (task_id, row, key)
    SELECT DISTINCT :task_id, customers.import_row, customers.external_id
    FROM staging JOIN customers USING (scope_id, external_id)
    WHERE customers.import_id = :import_id AND customers.import_row > staging.row
    ON CONFLICT DO NOTHING
""")

_REMEMBER_ALL_WRITTEN = text("""
    INSERT INTO rows_set_aside (task_id, row, key)
    SELECT DISTINCT :task_id, customers.import_row, customers.external_id
    FROM rows_set_aside JOIN customers ON customers.scope_id = :scope_id AND customers.external_id = rows_set_aside.key
    WHERE rows_set_aside.task_id = :task_id AND customers.import_id = :import_id
    ON CONFLICT DO NOTHING
""")


def merge(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """Merge one chunk; rows whose key another chunk has written are set aside and counted as updates."""
    match merging.options.mode:
        case Mode.INSERT:
            return _insert(session, merging, table)
        case Mode.UPDATE:
            known = find_known(session, "customers", _KEY, merging.task.scope_id, table)
            refusals = refuse_unknown(table.filter(pc.invert(known)), _KEY, "customer")
            table = table.filter(known)
        case Mode.UPSERT:
            refusals = []
    folded = _with_ids(fold_table(table, _KEY), merging)
    created = _copy(session, merging, folded)
    if created is None:
        created = _write(session, merging, folded)
    return Merged(
        Counters(created=created, updated=table.num_rows - created, rejected=len(refusals)),
        refusals,
    )


def replay(session: Session, merging: Merging, folded: Iterable[FoldedRow]) -> None:
    """Apply rows that were set aside, folded in file order, over what the task's chunks have written."""
    clears = [CLEARED] if merging.options.blank is Blank.CLEAR else []
    _stage(session, merging, _with_ids(to_table(folded, [*_TEXT_COLUMNS, "metadata", *clears]), merging))
    session.execute(_LOCK)
    session.execute(text(_WRITE[merging.options.mode]), _parameters(merging))
    _clear(session, merging)


def remember_written(session: Session, task: Task) -> None:
    """Set the rows aside, too, that were written before others of their keys were: for rows that are yet to come."""
    session.execute(_REMEMBER_ALL_WRITTEN, {"task_id": task.id, "scope_id": task.scope_id, "import_id": task.serial})


def _insert(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """The first row of each key that is not there; the others are refused. The rows before these are merged already."""
    first, later = split_repeats(table, _KEY)
    first = _with_ids(first, merging)
    if _copy(session, merging, first) is None:
        _stage(session, merging, first)
        written = session.scalars(text(f"{_INSERT} DO NOTHING RETURNING import_row"), _parameters(merging)).all()
        later = pa.concat_tables([later, without_rows(first, written).select(later.column_names)])
    refusals = refuse_taken(later, _KEY, "customer")
    return Merged(Counters(created=table.num_rows - len(refusals), rejected=len(refusals)), refusals)


def _copy(session: Session, merging: Merging, rows: pa.Table) -> int | None:
    """Copy rows of distinct keys straight into the table; gives how many, None when one of the keys is there."""
    if not rows.num_rows or merging.options.mode is Mode.UPDATE:
        return None if rows.num_rows else 0
    stored = rows.select(["id", "scope_id", *_TEXT_COLUMNS])
    stored = stored.append_column("metadata", pc.fill_null(rows.column("metadata"), "{}"))
    stored = stored.append_column("import_id", pa.repeat(merging.task.serial, rows.num_rows))
    stored = stored.append_column("import_row", rows.column(ROW))
    is_copied = copy_new_rows(session, "customers", _KEY, merging.task.scope_id, stored)
    return rows.num_rows if is_copied else None


def _write(session: Session, merging: Merging, folded: pa.Table) -> int:
    """Make or change the customers of rows of distinct keys; gives how many were made."""
    _stage(session, merging, folded)
    parameters = _parameters(merging)
    statement = _WRITE[merging.options.mode] + ("" if merging.in_file_order else _ONCE)
    if merging.options.mode is Mode.UPDATE:
        session.execute(_LOCK)
    written, created = session.execute(
        text(f"""
            WITH merged AS ({statement} RETURNING old.id IS NULL AS created)
            SELECT count(*), count(*) FILTER (WHERE created) FROM merged
        """),
        parameters,
    ).one()
    _clear(session, merging)
    if written < folded.num_rows:
        parameters["task_id"] = merging.task.id
        session.execute(_SET_ASIDE, parameters)
        session.execute(_REMEMBER_WRITTEN, parameters)
    return int(created)


def _with_ids(rows: pa.Table, merging: Merging) -> pa.Table:
    rows = rows.append_column("id", pa.array(new_ids("cust", rows.num_rows), pa.string()))
    return rows.append_column("scope_id", pa.repeat(merging.task.scope_id, rows.num_rows))


def _stage(session: Session, merging: Merging, rows: pa.Table) -> None:
    clears = {CLEARED: "text[]"} if merging.options.blank is Blank.CLEAR else {}
    stage_rows(session, {**_STAGING, **clears}, rows)


def _clear(session: Session, merging: Merging) -> None:
    if merging.options.blank is Blank.CLEAR:
        clear_cells(session, "customers", _TEXT_COLUMNS[2:], merging.task.serial)


def _parameters(merging: Merging) -> dict[str, Any]:
    return {"import_id": merging.task.serial}
