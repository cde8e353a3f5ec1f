"""Prices: made anew, or with another mode changed by the lookup_key of one that has not ended."""

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.options import Blank, Mode
from schemas.row_errors import RowErrorCode, quote_value
from service.ids import new_ids
from service.imports.columns.text import CLEARED, ROW
from service.imports.merge.folding import split_rounds
from service.imports.merge.refuse import refuse_taken, refuse_unknown, without_rows
from service.imports.merge.result import Merged, Merging, Refusal
from service.imports.merge.staging import clear_cells, stage_rows
from service.tracking.counters import Counters

_KEY = "lookup_key"
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
_STAGING = {"id": "text", "scope_id": "integer", ROW: "bigint", **_COLUMNS}
_LISTED = ", ".join(c for c in _COLUMNS if c not in {"meter_id", "display_name", "metadata", "start_date"})
_KEPT_WHEN_BLANK = ", ".join(
    f"{column} = COALESCE(staging.{column}, prices.{column})" for column in _COLUMNS if column not in {_KEY, "meter_id"}
)
#: A price always has these.
_NEVER_CLEARED = {_KEY, "start_date", "price_unit_type", "metadata"}
_CLEARABLE = [column for column in _COLUMNS if column not in _NEVER_CLEARED]

#: `meter_id` may be a meter's own id or the lookup_key of a metered feature.
_METER = """
    (SELECT meters.id FROM meters WHERE meters.scope_id = staging.scope_id AND meters.id = COALESCE(
        (SELECT features.meter_id FROM features
         WHERE features.scope_id = staging.scope_id AND features.lookup_key = staging.meter_id),
        staging.meter_id))"""

_UNKNOWN_METERS = text(f"""
    DELETE FROM staging WHERE meter_id IS NOT NULL AND {_METER} IS NULL RETURNING row, meter_id AS value
""")

_KNOWN = text("""
    SELECT row FROM staging WHERE EXISTS (
        SELECT FROM prices WHERE prices.scope_id = staging.scope_id AND prices.lookup_key = staging.lookup_key
                             AND prices.end_date IS NULL)
""")

_INSERT = text(f"""
    INSERT INTO prices (id, scope_id, import_id, import_row, meter_id, display_name, metadata, start_date, {_LISTED})
    SELECT staging.id, staging.scope_id, :import_id, row, meters.id, COALESCE(display_name, meters.name),
           COALESCE(metadata, '{{}}'), COALESCE(start_date, :created_at), {_LISTED}
    FROM staging LEFT JOIN meters ON meters.id = {_METER}
    WHERE row <> ALL(:known)
    ORDER BY row
    ON CONFLICT (scope_id, lookup_key) WHERE lookup_key IS NOT NULL AND end_date IS NULL DO NOTHING
    RETURNING import_row
""")

_UPDATE = text(f"""
    UPDATE prices SET {_KEPT_WHEN_BLANK}, meter_id = COALESCE({_METER}, prices.meter_id),
           import_id = :import_id, import_row = row, updated_at = now()
    FROM staging
    WHERE row = ANY(:known) AND prices.scope_id = staging.scope_id AND prices.lookup_key = staging.lookup_key
      AND prices.end_date IS NULL
""")


def merge(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """Merge one chunk, of each lookup_key one row at a time; chunks of prices are loaded in file order."""
    refusals: list[Refusal] = []
    created = 0
    taken: set[str] = set()
    for repeats in split_rounds(table, _KEY):
        rows, refused = _split_taken(repeats, taken)
        refusals += refused
        if not rows.num_rows:
            continue
        made, refused = _merge_distinct(session, merging, rows)
        created += made
        refusals += refused
        if merging.options.mode is Mode.INSERT:
            taken |= _find_taken(rows, refused)
    updated = table.num_rows - created - len(refusals)
    return Merged(Counters(created=created, updated=updated, rejected=len(refusals)), refusals)


def _split_taken(rows: pa.Table, taken: set[str]) -> tuple[pa.Table, list[Refusal]]:
    """The rows whose keys are free, and the refusals of the others: they need not be shown to the table."""
    is_taken = pa.array([key in taken for key in rows.column(_KEY).to_pylist()], pa.bool_())
    return rows.filter(pc.invert(is_taken)), refuse_taken(rows.filter(is_taken), _KEY, "price")


def _find_taken(rows: pa.Table, refused: list[Refusal]) -> set[str]:
    """The keys of rows to be made anew that no later row can have: of prices that were there, or that do not end."""
    known = {refusal.value for refusal in refused if refusal.code is RowErrorCode.ALREADY_EXISTS}
    made = without_rows(rows, [refusal.row for refusal in refused])
    return known | set(made.filter(pc.is_null(made.column("end_date"))).column(_KEY).to_pylist())


def _merge_distinct(session: Session, merging: Merging, rows: pa.Table) -> tuple[int, list[Refusal]]:
    """Change the prices whose lookup_key is known and make the others, as far as the mode allows it."""
    mode = merging.options.mode
    _stage(session, merging, rows)
    refusals = [_unknown_meter(row, value) for row, value in session.execute(_UNKNOWN_METERS)]
    rows = without_rows(rows, [refusal.row for refusal in refusals])
    known = list(session.scalars(_KNOWN).all())
    if mode is not Mode.INSERT:
        _update(session, merging, known)
    if mode is Mode.UPDATE:
        return 0, [*refusals, *refuse_unknown(without_rows(rows, known), _KEY, "price")]
    made = session.scalars(_INSERT, {**_parameters(merging, known), "created_at": merging.task.created_at}).all()
    changed = [] if mode is Mode.INSERT else known
    return len(made), [*refusals, *refuse_taken(without_rows(rows, [*made, *changed]), _KEY, "price")]


def _update(session: Session, merging: Merging, known: list[int]) -> None:
    session.execute(_UPDATE, _parameters(merging, known))
    if merging.options.blank is Blank.CLEAR:
        clear_cells(session, "prices", _CLEARABLE, merging.task.serial)


def _parameters(merging: Merging, known: list[int]) -> dict[str, object]:
    return {"import_id": merging.task.serial, "known": known}


def _stage(session: Session, merging: Merging, rows: pa.Table) -> None:
    rows = rows.append_column("id", pa.array(new_ids("price", rows.num_rows), pa.string()))
    rows = rows.append_column("scope_id", pa.repeat(merging.task.scope_id, rows.num_rows))
    clears = {CLEARED: "text[]"} if merging.options.blank is Blank.CLEAR else {}
    stage_rows(session, {**_STAGING, **clears}, rows)


def _unknown_meter(row: int, value: str) -> Refusal:
    found = quote_value(value)
    message = f"meter_id {found} is neither a meter's id nor the lookup_key of a metered feature; import it first"
    return Refusal(row, "meter_id", RowErrorCode.NOT_FOUND, value, message)
