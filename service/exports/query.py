"""What an export of each entity selects: the columns that an import reads, then ids and times."""

from dataclasses import dataclass

from psycopg import sql

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """A SELECT of one scope's rows (parameter `scope_id`), its columns in order, and which of them are text."""

    select: sql.Composed
    columns: tuple[str, ...]
    text_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where an entity's columns are found; `computed` are those that are not stored as they are shown."""

    table: str
    own: tuple[str, ...]
    computed: dict[str, str]
    numbers: frozenset[str] = frozenset()
    joins: str = ""


def _instant(column: str) -> str:
    """RFC 3339 in UTC, as imports read it."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


_OWN = ("id", "created_at", "updated_at")
_TIMES = {"created_at": _instant("shown.created_at"), "updated_at": _instant("shown.updated_at")}

_METER_COLUMNS = (
    "event_name",
    "reset_usage",
    "aggregation_type",
    "aggregation_field",
    "aggregation_bucket_size",
    "aggregation_multiplier",
)

_SHAPES = {
    EntityType.CUSTOMERS: _Shape("customers", _OWN, _TIMES),
    EntityType.EVENTS: _Shape(
        "events",
        ("ingested_at",),
        {"timestamp": _instant("shown.timestamp"), "ingested_at": _instant("shown.ingested_at")},
    ),
    EntityType.FEATURES: _Shape(
        "features",
        _OWN,
        {**_TIMES, "meter_name": "meters.name", **{column: f"meters.{column}" for column in _METER_COLUMNS}},
        numbers=frozenset({"aggregation_multiplier"}),
        joins="LEFT JOIN meters ON meters.id = shown.meter_id",
    ),
    EntityType.PRICES: _Shape(
        "prices",
        _OWN,
        {
            **_TIMES,
            "meter_id": "COALESCE(features.lookup_key, shown.meter_id)",
            "start_date": _instant("shown.start_date"),
            "end_date": _instant("shown.end_date"),
        },
        numbers=frozenset(
            {
                "billing_period_count",
                "amount",
                "transform_quantity_divide_by",
                "price_unit_config_amount",
                "min_quantity",
                "trial_period_days",
            }
        ),
        joins="LEFT JOIN features ON features.scope_id = shown.scope_id AND features.meter_id = shown.meter_id",
    ),
}


def export_query(entity: EntityType) -> ExportQuery:
    """All rows of an entity in one scope: the columns that an import of them reads, then the row's own."""
    shape = _SHAPES[entity]
    columns = (*ENTITIES[entity].columns, *shape.own)
    items = [sql.SQL("{} AS {}").format(_expression(shape, name), sql.Identifier(name)) for name in columns]
    select = sql.SQL("SELECT {} FROM {} AS shown {} WHERE shown.scope_id = %(scope_id)s").format(
        sql.SQL(", ").join(items), sql.Identifier(shape.table), sql.SQL(shape.joins)
    )
    return ExportQuery(select, columns, tuple(name for name in columns if name not in shape.numbers))


def _expression(shape: _Shape, column: str) -> sql.Composable:
    if column in shape.computed:
        return sql.SQL(shape.computed[column])
    return sql.Identifier("shown", column)
