"""Features: made or changed by lookup_key; a metered one is made together with its meter."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.options import Blank, Mode
from service.ids import new_ids
from service.imports.columns.text import CLEARED, ROW
from service.imports.merge.folding import fold_table, split_repeats
from service.imports.merge.refuse import refuse_taken, refuse_unknown, without_rows
from service.imports.merge.result import Merged, Merging
from service.imports.merge.staging import clear_cells, find_known, stage_rows
from service.tracking.counters import Counters

_KEY = "lookup_key"
_UNITS = ("unit_singular", "unit_plural")
_METER_COLUMNS = (
    "meter_name",
    "event_name",
    "aggregation_type",
    "aggregation_field",
    "aggregation_multiplier",
    "aggregation_bucket_size",
    "reset_usage",
)
_STAGING = {
    "id": "text",
    "meter_id": "text",
    "scope_id": "integer",
    ROW: "bigint",
    **dict.fromkeys(("name", "type", *_UNITS, *_METER_COLUMNS), "text"),
    _KEY: 'text COLLATE "C"',
    "metadata": "jsonb",
    "aggregation_multiplier": "numeric",
}

#: What an existing feature keeps, whatever a later row says.
_FIXED = frozenset({"type", *_METER_COLUMNS})

_INSERT = """
    INSERT INTO features (id, scope_id, import_id, import_row, lookup_key, name, type, unit_singular, unit_plural,
                          meter_id, metadata)
    SELECT id, scope_id, :import_id, row, lookup_key, name, type, unit_singular, unit_plural,
           meter_id, COALESCE(metadata, '{}')
    FROM staging ORDER BY lookup_key
    ON CONFLICT (scope_id, lookup_key)"""
_CHANGES = """
    SET name = COALESCE({new}.name, features.name),
        unit_singular = COALESCE({new}.unit_singular, features.unit_singular),
        unit_plural = COALESCE({new}.unit_plural, features.unit_plural),
        metadata = features.metadata || COALESCE({new}.metadata, '{{}}'), import_id = :import_id, updated_at = now()"""

#: Each gives the id and the row of what it wrote, and whether it was made.
_WRITE = {
    Mode.INSERT: text(f"{_INSERT} DO NOTHING RETURNING id, import_row AS row, true AS created"),
    Mode.UPDATE: text(f"""
        UPDATE features {_CHANGES.format(new="staging")}, import_row = staging.row
        FROM staging WHERE features.scope_id = staging.scope_id AND features.lookup_key = staging.lookup_key
        RETURNING features.id, staging.row, false AS created"""),
    Mode.UPSERT: text(f"""{_INSERT}
        DO UPDATE {_CHANGES.format(new="excluded")}, import_row = excluded.import_row
        RETURNING new.id, new.import_row AS row, old.id IS NULL AS created"""),
}

_MAKE_METERS = text("""
    INSERT INTO meters (id, scope_id, name, event_name, aggregation_type, aggregation_field,
                        aggregation_multiplier, aggregation_bucket_size, reset_usage)
    SELECT meter_id, scope_id, meter_name, event_name, aggregation_type, aggregation_field,
           aggregation_multiplier, aggregation_bucket_size, reset_usage
    FROM staging WHERE meter_id IS NOT NULL AND id = ANY(:created)
""")


def merge(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """Merge one chunk; chunks of features are loaded in file order."""
    mode = merging.options.mode
    refusals = []
    later = table.slice(0, 0)
    if mode is Mode.UPDATE:
        known = find_known(session, "features", _KEY, merging.task.scope_id, table)
        refusals = refuse_unknown(table.filter(pc.invert(known)), _KEY, "feature")
        rows = fold_table(table.filter(known), _KEY, _FIXED)
    elif mode is Mode.INSERT:
        rows, later = split_repeats(table, _KEY)
    else:
        rows = fold_table(table, _KEY, _FIXED)
    written = _write(session, merging, rows)
    if mode is Mode.INSERT:
        taken = without_rows(rows, [row.row for row in written])
        refusals = refuse_taken(pa.concat_tables([later, taken]), _KEY, "feature")
    created = sum(row.created for row in written)
    updated = table.num_rows - created - len(refusals)
    return Merged(Counters(created=created, updated=updated, rejected=len(refusals)), refusals)


def _write(session: Session, merging: Merging, rows: pa.Table) -> list[Any]:
    """Write rows of distinct keys, and the meters of those that were made."""
    clears = {CLEARED: "text[]"} if merging.options.blank is Blank.CLEAR else {}
    stage_rows(session, {**_STAGING, **clears}, _with_ids(rows, merging))
    parameters = {"import_id": merging.task.serial}
    written = list(session.execute(_WRITE[merging.options.mode], parameters).all())
    session.execute(_MAKE_METERS, {"created": [row.id for row in written if row.created]})
    if clears:
        clear_cells(session, "features", _UNITS, merging.task.serial)
    return written


def _with_ids(rows: pa.Table, merging: Merging) -> pa.Table:
    meters = pa.array(new_ids("meter", rows.num_rows), pa.string())
    is_metered = pc.fill_null(pc.equal(rows.column("type"), "metered"), fill_value=False)
    rows = rows.append_column("id", pa.array(new_ids("feat", rows.num_rows), pa.string()))
    rows = rows.append_column("meter_id", pc.if_else(is_metered, meters, pa.scalar(None, pa.string())))
    return rows.append_column("scope_id", pa.repeat(merging.task.scope_id, rows.num_rows))
