"""The law of the fast path: whatever a chunk holds, its values and errors are those of the row schema, row by row."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas.entities import ENTITIES
from schemas.entities.row_schema import RowSchema
from schemas.options import Blank, Mode
from schemas.row_errors import RowError, cut_value
from schemas.vocabulary import EntityType
from service.imports.columns.read import ChunkText
from service.imports.columns.text import CLEARED, ROW, clearable
from service.imports.formats.read import Reading, read_rows
from service.imports.formats.source_format import Layout, SourceFormat
from service.imports.validate import validate_chunk


@dataclass(frozen=True)
class LawLimits:
    """Limits that a cell can reach."""

    chunk_bytes: int = 1000
    row_max_bytes: int = 900
    field_max_bytes: int = 300
    columns_max: int = 60


#: Cells that are good in some column, nearly good, or plainly odd.
WORDS = [
    "", " ", "a", " a", "a ", "\u00a0a", "é", "x" * 256, "é" * 255, "US", "us", "USD", "12", "012", "-1", "+7", "0",
    "2147483648", "99999999999999999999", "0.10", "00.5", "1e-3", ".5", "1.", "1" * 21, "0." + "1" * 19, "NaN",
    "a@b.co", "a.b@c-d.example", "a..b@c.de", "a@b", "ann@exämple.org", "x" * 64 + "@b.co", "a@b.c\n",
    "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.1234567+01:00", "2026-02-29T00:00:00Z", "2024-02-29T23:59:59-14:00",
    "2026-03-01 10:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-01:00", "2026-04-31T00:00:00Z",
    '{"a": 1}', '{"a":1.50,"b":[1,"x"],"a":null}', '{"a":1.10}', '{"a":-0.0}', '{"a":{"b":1}}', "{}", '{"a"}', "[]",
    '{"a":1e400}', '{"a":NaN}', '{"a":"\\u0000"}', '{"a":12345678901234567890}', '{"a":"\\ud800"}', '{"a":"\\n"}',
    '[{"up_to":null,"unit_amount":"0.1"}]', "metered", "boolean", "SUM", "COUNT", "MAX", "HOUR", "FIAT", "CUSTOM",
    "USAGE", "FIXED", "FLAT_FEE", "PACKAGE", "TIERED", "MONTHLY", "ONETIME", "ARREAR", "ADVANCE", "PLAN", "up", "NEVER",
    'say "hi"', "a,b", "two\nlines", "cr\rhere", "back\\slash", "tab\there",
]  # fmt: skip
#: A good row of each entity, so that many rows are clean.
GOOD: dict[EntityType, dict[str, str]] = {
    EntityType.CUSTOMERS: {
        "external_id": "c1", "name": "Ann", "email": "ann@example.com", "address_line1": "1 Main St",
        "address_country": "US", "metadata.tier": "gold", "metadata.note": "", "metadata": '{"a": 1}',
    },
    EntityType.EVENTS: {
        "event_name": "used", "external_customer_id": "c1", "event_id": "e1", "timestamp": "2026-03-01T10:00:00Z",
        "source": "api", "properties.model": "small", "properties.note": "", "properties": '{"tokens": 5}',
    },
    EntityType.FEATURES: {
        "name": "Tokens", "lookup_key": "tokens", "type": "metered", "unit_singular": "token",
        "unit_plural": "tokens", "meter_name": "Tokens", "event_name": "used", "reset_usage": "NEVER",
        "aggregation_type": "SUM", "aggregation_field": "tokens", "aggregation_bucket_size": "HOUR",
        "aggregation_multiplier": "", "metadata.x": "1", "metadata": "",
    },
    EntityType.PRICES: {
        "display_name": "P", "currency": "USD", "entity_type": "PLAN", "entity_id": "plan_1", "meter_id": "tokens",
        "type": "USAGE", "price_unit_type": "", "billing_period": "MONTHLY", "billing_period_count": "1",
        "invoice_cadence": "ARREAR", "billing_model": "FLAT_FEE", "amount": "0.10", "tier_mode": "",
        "lookup_key": "p1", "tiers": "", "transform_quantity_divide_by": "", "transform_quantity_round": "",
        "price_unit_config_price_unit": "", "price_unit_config_amount": "", "start_date": "2026-03-01T10:00:00Z",
        "end_date": "", "min_quantity": "", "trial_period": "", "trial_period_days": "0", "description": "d",
        "metadata.x": "1", "metadata": "",
    },
}  # fmt: skip

ENTITY_TYPES = pytest.mark.parametrize("entity", list(EntityType))
MODES = st.sampled_from([Mode.INSERT, Mode.UPDATE])
BLANKS = st.sampled_from(list(Blank))


@st.composite
def row_lists(draw: st.DrawFn, entity: EntityType, odd: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    """Good rows with some cells changed, blanked or taken away."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        changes = draw(st.dictionaries(st.sampled_from(sorted(GOOD[entity])), odd, max_size=3))
        rows.append({**GOOD[entity], **changes})
    return rows


def load_each(schema: RowSchema, text: ChunkText, blank: Blank) -> tuple[dict[int, dict[str, Any]], list[RowError]]:
    """What the row schema makes of each row by itself: the law's other side."""
    values: dict[int, dict[str, Any]] = {}
    errors: list[RowError] = []
    for row in read_rows(text.data, text.reading, text.first_row, text.first_line):
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            loaded = dict.fromkeys(schema.fields) | schema.load(row.cells)
        except ValidationError as refused:
            for column, problems in refused.messages_dict.items():
                found = row.cells.get(column)
                value = None if found is None else cut_value(found)
                errors.append(RowError(row.number, row.line, column, problems[0].code, value, str(problems[0])))
            continue
        if blank is Blank.CLEAR:
            loaded[CLEARED] = {c for c in clearable(schema) if c in row.cells and row.cells[c] in {"", None}}
        values[row.number] = loaded
    return values, errors


def as_values(schema: RowSchema, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of text as PostgreSQL would understand it."""
    return {name: _as_value(schema, name, text) for name, text in row.items() if name != ROW}


def _as_value(schema: RowSchema, name: str, text: str | None) -> Any:
    if name == CLEARED:
        return set(filter(None, str(text).strip("{}").split(",")))
    if text is None or schema.is_object(name) or "tiers" in name:
        return None if text is None else json.loads(text)
    return schema.fields[name].deserialize(text)


def check_law(schema: RowSchema, text: ChunkText, blank: Blank) -> None:
    expected, errors = load_each(schema, text, blank)
    validated = validate_chunk(schema, text, blank)
    assert validated.errors == errors
    assert {row[ROW]: as_values(schema, row) for row in validated.table.to_pylist()} == expected
    assert validated.table.column(ROW).to_pylist() == sorted(expected)


@ENTITY_TYPES
@settings(max_examples=120)
@given(data=st.data(), mode=MODES, blank=BLANKS)
def test_csv_rows_come_out_as_the_row_schema_loads_them(
    entity: EntityType, data: st.DataObject, mode: Mode, blank: Blank
) -> None:
    rows = data.draw(row_lists(entity, st.sampled_from(WORDS) | st.text(max_size=4)))
    quoting: Literal[0, 1] = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    names = data.draw(st.permutations(sorted(GOOD[entity])))
    written = io.StringIO()
    # CPython before 3.13 writes a lone quote in its own way where it does not have to quote.
    csv.DictWriter(written, names, quoting=quoting, lineterminator="\n").writerows(rows)
    text = written.getvalue().encode(errors="replace")
    reading = Reading(SourceFormat(), LawLimits(), tuple(names), {"address_country": "DE"})
    check_law(ENTITIES[entity].schema_for(mode), ChunkText(text, reading, 7, 9), blank)


@ENTITY_TYPES
@settings(max_examples=60)
@given(data=st.data())
def test_any_bytes_come_out_as_the_row_schema_loads_them(entity: EntityType, data: st.DataObject) -> None:
    names = tuple(list(GOOD[entity])[:4])
    good = ",".join(GOOD[entity][name] for name in names).encode()
    fragments = [
        good,
        good,
        b'"',
        b'""',
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"\t",
        b"a",
        b"\xff",
        b"\0",
        b"x" * 301,
    ]
    text = b"".join(data.draw(st.lists(st.sampled_from(fragments), max_size=14)))
    schema = ENTITIES[entity].schema
    chunk = ChunkText(text, Reading(SourceFormat(), LawLimits(), names), 1, 2)
    try:
        load_each(schema, chunk, Blank.KEEP)
    except Exception:  # noqa: BLE001  # an open quote: no chunk holds one
        return
    check_law(schema, chunk, Blank.KEEP)


JSON_VALUES = st.sampled_from(WORDS) | st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@ENTITY_TYPES
@settings(max_examples=120)
@given(data=st.data(), blank=BLANKS)
def test_json_rows_come_out_as_the_row_schema_loads_them(entity: EntityType, data: st.DataObject, blank: Blank) -> None:
    rows = data.draw(row_lists(entity, JSON_VALUES))
    is_ascii = data.draw(st.booleans())
    lines = [json.dumps(row, ensure_ascii=is_ascii) for row in rows]
    text = "\n".join(lines).encode(errors="replace")
    reading = Reading(SourceFormat(Layout.NDJSON), LawLimits(row_max_bytes=5000, field_max_bytes=3000))
    check_law(ENTITIES[entity].schema, ChunkText(text, reading, 1, 1), blank)


def test_clean_rows_never_come_near_the_row_schema() -> None:
    """The fast path would be no path at all if all rows were sent round it."""
    for entity in EntityType:
        names = tuple(GOOD[entity])
        text = (",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in GOOD[entity].values()) + "\n") * 3
        schema = _Unused(ENTITIES[entity].schema)
        reading = Reading(SourceFormat(), LawLimits(), names)
        assert validate_chunk(schema, ChunkText(text.encode(), reading, 1, 2), Blank.KEEP).table.num_rows == 3  # type: ignore[arg-type]


class _Unused:
    """A row schema of which no row may be loaded."""

    def __init__(self, schema: RowSchema) -> None:
        self._schema = schema

    def __getattr__(self, name: str) -> Any:
        assert name != "load"
        return getattr(self._schema, name)


def test_values_keep_their_kind_on_their_way_to_sql() -> None:
    """What the law compares by: text that the schema reads again to the same value."""
    schema = ENTITIES[EntityType.PRICES].schema
    assert as_values(schema, {ROW: 1, "amount": "0.10", "start_date": "2026-03-01T10:00:00Z", "group_id": None}) == {
        "amount": Decimal("0.10"),
        "start_date": datetime.fromisoformat("2026-03-01T10:00:00Z"),
        "group_id": None,
    }
