"""Events: a known event_id is skipped, so importing a file twice counts nothing twice."""

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.imports.columns.text import ROW
from service.imports.merge.folding import split_repeats
from service.imports.merge.result import Merged, Merging
from service.imports.merge.staging import copy_new_rows, stage_rows
from service.imports.own_ids import ROW_DIGITS, own_id_prefix
from service.tracking.counters import Counters

_STAGING = {
    "import_row": "bigint",
    "event_id": 'text COLLATE "C"',
    "timestamp": "timestamptz",
    "event_name": "text",
    "external_customer_id": "text",
    "customer_id": "text",
    "source": "text",
    "properties": "jsonb",
    "import_id": "bigint",
    "scope_id": "integer",
}
_LISTED = ", ".join(_STAGING)

#: Of several rows with one event_id the first in the file is kept, whichever chunk comes first.
_MERGE = text(f"""
    WITH merged AS (
        INSERT INTO events AS stored ({_LISTED})
        SELECT {_LISTED} FROM staging ORDER BY event_id
        ON CONFLICT (scope_id, event_id) DO UPDATE
        SET import_row = excluded.import_row, timestamp = excluded.timestamp, event_name = excluded.event_name,
            external_customer_id = excluded.external_customer_id, customer_id = excluded.customer_id,
            source = excluded.source, properties = excluded.properties
        WHERE stored.import_id = excluded.import_id AND stored.import_row > excluded.import_row
        RETURNING old.event_id IS NULL AS created
    )
    SELECT count(*) FILTER (WHERE created) FROM merged
""")


def merge(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """Merge one chunk; every row whose event_id is known already is counted as skipped."""
    first, _ = split_repeats(_completed(merging, table), "event_id")
    if copy_new_rows(session, "events", "event_id", merging.task.scope_id, first):
        created = first.num_rows
    else:
        stage_rows(session, _STAGING, first)
        created = session.scalar(_MERGE) or 0
    return Merged(Counters(created=created, skipped=table.num_rows - created))


def _completed(merging: Merging, table: pa.Table) -> pa.Table:
    """The rows as they are stored, with what blank cells stand for."""
    task, count = merging.task, table.num_rows
    columns = {
        "event_id": pc.coalesce(table.column("event_id"), _own_ids(merging, table)),
        "timestamp": pc.fill_null(table.column("timestamp"), task.created_at.isoformat()),
        "properties": pc.fill_null(table.column("properties"), "{}"),
        "import_row": table.column(ROW),
        "import_id": pa.repeat(task.serial, count),
        "scope_id": pa.repeat(task.scope_id, count),
    }
    return pa.table({name: columns[name] if name in columns else table.column(name) for name in _STAGING})


def _own_ids(merging: Merging, table: pa.Table) -> pa.ChunkedArray:
    """The ids of events that have none."""
    rows = pc.utf8_lpad(pc.cast(table.column(ROW), pa.string()), ROW_DIGITS, "0")
    return pc.binary_join_element_wise(own_id_prefix(merging.task, merging.options), rows, "")
