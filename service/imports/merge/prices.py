"""Prices: insert only; a lookup_key that is taken, or a meter that is not there, refuses the row."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.row_errors import RowError, RowErrorCode
from service.db.models import Task
from service.ids import new_id
from service.imports.merge.result import Merged
from service.imports.merge.staging import stage_rows
from service.imports.validate import ValidRow
from service.tracking.counters import Counters

_COLUMNS = {
    "lookup_key": 'text COLLATE "C"',
    "display_name": "text",
    "description": "text",
    "entity_type": "text",
    "entity_id": "text",
    "meter_id": "text",
    "type": "text",
    "price_unit_type": "text",
    "currency": "text",
    "billing_model": "text",
    "billing_period": "text",
    "billing_period_count": "integer",
    "invoice_cadence": "text",
    "amount": "numeric",
    "tier_mode": "text",
    "tiers": "jsonb",
    "transform_quantity_divide_by": "bigint",
    "transform_quantity_round": "text",
    "price_unit_config_price_unit": "text",
    "price_unit_config_amount": "numeric",
    "price_unit_config_tiers": "jsonb",
    "start_date": "timestamptz",
    "end_date": "timestamptz",
    "min_quantity": "bigint",
    "trial_period_days": "bigint",
    "group_id": "text",
    "metadata": "jsonb",
}
_STAGING = {"id": "text", "row": "bigint", **_COLUMNS}
_LISTED = ", ".join(column for column in _COLUMNS if column not in {"meter_id", "display_name", "metadata"})

#: `meter_id` may be a meter's own id or the lookup_key of a metered feature.
_REFUSE_UNKNOWN_METERS = text("""
    DELETE FROM staging
    WHERE meter_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM meters WHERE scope_id = :scope_id AND id = staging.meter_id)
      AND NOT EXISTS (SELECT FROM features WHERE scope_id = :scope_id AND lookup_key = staging.meter_id
                                             AND features.meter_id IS NOT NULL)
    RETURNING row, meter_id AS value
""")

_INSERT = text(f"""
    INSERT INTO prices (id, scope_id, import_id, import_row, meter_id, display_name, metadata, {_LISTED})
    SELECT staging.id, :scope_id, :import_id, row, meters.id, COALESCE(display_name, meters.name),
           COALESCE(metadata, '{{}}'), {_LISTED}
    FROM staging LEFT JOIN meters ON meters.scope_id = :scope_id AND meters.id = COALESCE(
        (SELECT features.meter_id FROM features WHERE scope_id = :scope_id AND lookup_key = staging.meter_id),
        staging.meter_id)
    ORDER BY row
    ON CONFLICT (scope_id, lookup_key) WHERE lookup_key IS NOT NULL AND end_date IS NULL DO NOTHING
    RETURNING import_row
""")

_TAKEN = text("SELECT row, lookup_key AS value FROM staging WHERE row <> ALL(:inserted) ORDER BY row")


def merge(session: Session, task: Task, rows: Sequence[ValidRow]) -> Merged:
    """Merge one chunk; chunks of prices are loaded in file order, so the first row of a lookup_key wins."""
    start = task.created_at
    stage_rows(
        session,
        _STAGING,
        (
            [
                new_id("price"),
                row.number,
                *({"start_date": start, **_given(row)}.get(c) for c in _COLUMNS),
            ]
            for row in rows
        ),
    )
    parameters = {"scope_id": task.scope_id}
    unknown = session.execute(_REFUSE_UNKNOWN_METERS, parameters).all()
    inserted = session.scalars(_INSERT, {**parameters, "import_id": task.serial}).all()
    taken = session.execute(_TAKEN, {"inserted": list(inserted)}).all()
    lines = {row.number: row.line for row in rows}
    errors = [_unknown_meter(number, lines[number], value) for number, value in unknown]
    errors += [_taken_key(number, lines[number], value) for number, value in taken]
    return Merged(Counters(created=len(inserted), rejected=len(errors)), errors)


def _given(row: ValidRow) -> dict[str, object]:
    return {column: value for column, value in row.values.items() if value is not None}


def _unknown_meter(row: int, line: int, value: str) -> RowError:
    message = f"meter_id {value!r} is neither a meter's id nor the lookup_key of a metered feature; import it first"
    return RowError(row, line, "meter_id", RowErrorCode.NOT_FOUND, value, message)


def _taken_key(row: int, line: int, value: str) -> RowError:
    message = f"lookup_key {value!r} belongs to another price that has not ended; choose another or end that one"
    return RowError(row, line, "lookup_key", RowErrorCode.ALREADY_EXISTS, value, message)
