"""Events: a known event_id is skipped, so importing a file twice counts nothing twice."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.db.models import Task
from service.imports.merge.result import Merged
from service.imports.merge.staging import stage_rows
from service.imports.validate import ValidRow
from service.tracking.counters import Counters

_STAGING = {
    "row": "bigint",
    "event_id": 'text COLLATE "C"',
    "timestamp": "timestamptz",
    "event_name": "text",
    "external_customer_id": "text",
    "customer_id": "text",
    "source": "text",
    "properties": "jsonb",
}

#: Of several rows with one event_id the first in the file is kept, whichever chunk comes first.
_MERGE = text("""
    WITH merged AS (
        INSERT INTO events AS stored (scope_id, import_id, import_row, event_id, timestamp, event_name,
                                      external_customer_id, customer_id, source, properties)
        SELECT :scope_id, :import_id, row, event_id, timestamp, event_name,
               external_customer_id, customer_id, source, properties
        FROM staging ORDER BY event_id
        ON CONFLICT (scope_id, event_id) DO UPDATE
        SET import_row = excluded.import_row, timestamp = excluded.timestamp, event_name = excluded.event_name,
            external_customer_id = excluded.external_customer_id, customer_id = excluded.customer_id,
            source = excluded.source, properties = excluded.properties
        WHERE stored.import_id = excluded.import_id AND stored.import_row > excluded.import_row
        RETURNING old.event_id IS NULL AS created
    )
    SELECT count(*) FILTER (WHERE created) FROM merged
""")


def merge(session: Session, task: Task, rows: Sequence[ValidRow]) -> Merged:
    """Merge one chunk; every row whose event_id is known already is counted as skipped."""
    first: dict[str, list[object]] = {}
    for row in rows:
        values = row.values
        event_id = values["event_id"] or derived_event_id(task, row.number)
        if event_id not in first:
            first[event_id] = [
                row.number,
                event_id,
                values["timestamp"] or task.created_at,
                values["event_name"],
                values["external_customer_id"],
                values["customer_id"],
                values["source"],
                values["properties"] or {},
            ]
    stage_rows(session, _STAGING, first.values())
    created = session.scalar(_MERGE, {"scope_id": task.scope_id, "import_id": task.serial}) or 0
    return Merged(Counters(created=created, skipped=len(rows) - created))


def derived_event_id(task: Task, row: int) -> str:
    """The id of an event that has none: the same for the same row of the same bytes, in the order of rows."""
    if task.source_sha256 is None:
        message = "an event's id is derived from the bytes of its source, which are not fetched yet"
        raise ValueError(message)
    return f"event_{task.source_sha256[:12].hex()}_{row:010d}"
