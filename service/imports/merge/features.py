"""Features: update or create by lookup_key; a metered one is made together with its meter."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.db.models import Task
from service.ids import new_id
from service.imports.merge.folding import fold_rows
from service.imports.merge.result import Merged
from service.imports.merge.staging import stage_rows
from service.imports.validate import ValidRow
from service.tracking.counters import Counters

_FEATURE_COLUMNS = (
    "lookup_key",
    "name",
    "type",
    "unit_singular",
    "unit_plural",
    "metadata",
)
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
    "row": "bigint",
    **dict.fromkeys((*_FEATURE_COLUMNS, *_METER_COLUMNS), "text"),
    "lookup_key": 'text COLLATE "C"',
    "metadata": "jsonb",
    "aggregation_multiplier": "numeric",
}

#: What an existing feature keeps, whatever a later row says.
_FIXED = frozenset({"type", *_METER_COLUMNS})

_MERGE_FEATURES = text("""
    INSERT INTO features (id, scope_id, import_id, import_row, lookup_key, name, type, unit_singular, unit_plural,
                          meter_id, metadata)
    SELECT id, :scope_id, :import_id, row, lookup_key, name, type, unit_singular, unit_plural,
           meter_id, COALESCE(metadata, '{}')
    FROM staging ORDER BY lookup_key
    ON CONFLICT (scope_id, lookup_key) DO UPDATE
    SET name = excluded.name,
        unit_singular = COALESCE(excluded.unit_singular, features.unit_singular),
        unit_plural = COALESCE(excluded.unit_plural, features.unit_plural),
        metadata = features.metadata || excluded.metadata,
        import_id = excluded.import_id, import_row = excluded.import_row, updated_at = now()
    RETURNING new.id, old.id IS NULL AS created
""")

_MAKE_METERS = text("""
    INSERT INTO meters (id, scope_id, name, event_name, aggregation_type, aggregation_field,
                        aggregation_multiplier, aggregation_bucket_size, reset_usage)
    SELECT meter_id, :scope_id, meter_name, event_name, aggregation_type, aggregation_field,
           aggregation_multiplier, aggregation_bucket_size, reset_usage
    FROM staging WHERE meter_id IS NOT NULL AND id = ANY(:created)
""")


def merge(session: Session, task: Task, rows: Sequence[ValidRow]) -> Merged:
    """Merge one chunk; chunks of features are loaded in file order."""
    folded = fold_rows(((row.number, row.values["lookup_key"], row.values) for row in rows), _FIXED)
    columns = [column for column in _STAGING if column not in {"id", "meter_id", "row"}]
    stage_rows(
        session,
        _STAGING,
        (
            [
                new_id("feat"),
                new_id("meter") if row.values["type"] == "metered" else None,
                row.row,
                *(row.values[column] for column in columns),
            ]
            for row in folded
        ),
    )
    merged = session.execute(_MERGE_FEATURES, {"scope_id": task.scope_id, "import_id": task.serial}).all()
    created = [row.id for row in merged if row.created]
    session.execute(_MAKE_METERS, {"scope_id": task.scope_id, "created": created})
    return Merged(Counters(created=len(created), updated=len(rows) - len(created)))
