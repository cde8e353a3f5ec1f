"""What an export selects: an entity's columns as imports read them, of all rows asked for or a range of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from schemas.entities import ENTITIES
from schemas.entities.columns import Amount, Code, Column, Email, Text, Time, Whole
from schemas.export_options import ExportOptions, time_column
from schemas.vocabulary import EntityType


@dataclass(frozen=True, slots=True)
class Blocks:
    """Consecutive blocks of a table: from `first` to before `end`, or to the last one there is."""

    first: int
    end: int | None


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """The rows of one export: which columns in which order, and the SELECT that gives them."""

    table: str
    columns: tuple[str, ...]
    #: Columns whose text may be anything: read back unquoted, it would lose its leading white space.
    free_texts: tuple[str, ...]
    #: Columns with exact numbers; JSON has them as text, since most readers of JSON would round them.
    amounts: tuple[str, ...]
    whole_numbers: tuple[str, ...]
    times: tuple[str, ...]
    _expressions: Mapping[str, sql.Composable]
    _source: sql.Composable
    _conditions: tuple[sql.Composable, ...]

    def select(self, blocks: Blocks | None = None, *, times_as_text: bool = False) -> sql.Composed:
        """The SELECT of all rows, or of those in some blocks of the table; times are timestamps, or RFC 3339 in UTC.

        The text needs a session whose time zone is UTC and whose DateStyle is ISO.
        """
        rewritten = {name: _as_text(self._expressions[name]) for name in self.times} if times_as_text else {}
        items = [
            sql.SQL("{} AS {}").format(shown, sql.Identifier(name))
            for name, shown in {**self._expressions, **rewritten}.items()
        ]
        conditions = [*self._conditions, *(_in_blocks(blocks) if blocks else ())]
        return sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(items), self._source, sql.SQL(" AND ").join(conditions)
        )


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where an entity's columns are found; `computed` are those that are not stored as they are shown."""

    table: str
    computed: Mapping[str, str] = field(default_factory=dict)
    joins: str = ""


_OWN_TIMES = frozenset({"created_at", "updated_at", "ingested_at"})

_METER_COLUMNS = (
    "event_name",
    "reset_usage",
    "aggregation_type",
    "aggregation_field",
    "aggregation_bucket_size",
    "aggregation_multiplier",
)

_SHAPES = {
    EntityType.CUSTOMERS: _Shape("customers"),
    EntityType.EVENTS: _Shape("events"),
    EntityType.FEATURES: _Shape(
        "features",
        {"meter_name": "meters.name", **{column: f"meters.{column}" for column in _METER_COLUMNS}},
        joins="LEFT JOIN meters ON meters.id = shown.meter_id",
    ),
    EntityType.PRICES: _Shape(
        "prices",
        {"meter_id": "COALESCE(features.lookup_key, shown.meter_id)"},
        joins="LEFT JOIN features ON features.scope_id = shown.scope_id AND features.meter_id = shown.meter_id",
    ),
}

#: How a cell begins that spreadsheets take for a formula, https://owasp.org/www-community/attacks/CSV_Injection.
_FORMULA = r"E'^[=+@\\t\\r\\n-]'"


def export_query(entity: EntityType, scope_id: int, options: ExportOptions) -> ExportQuery:
    """What one scope's export of an entity selects."""
    shape, fields = _SHAPES[entity], ENTITIES[entity].schema.fields

    def of_kind(*kinds: type[Column[Any]]) -> tuple[str, ...]:
        return tuple(name for name in options.columns if isinstance(fields.get(name), kinds))

    free_texts = of_kind(Text, Code)
    safe = frozenset(of_kind(Text, Code, Email) if options.spreadsheet_safe else ())
    source = sql.SQL("{} AS shown {}").format(sql.Identifier(shape.table), sql.SQL(shape.joins))
    return ExportQuery(
        table=shape.table,
        columns=options.columns,
        free_texts=free_texts,
        amounts=of_kind(Amount),
        whole_numbers=of_kind(Whole),
        times=(*of_kind(Time), *(name for name in options.columns if name in _OWN_TIMES)),
        _expressions={name: _expression(shape, name, safe) for name in options.columns},
        _source=source,
        _conditions=tuple(_conditions(entity, scope_id, options)),
    )


def _expression(shape: _Shape, column: str, safe: frozenset[str]) -> sql.Composable:
    stored = sql.SQL(shape.computed[column]) if column in shape.computed else sql.Identifier("shown", column)
    if column not in safe:
        return stored
    return sql.SQL("CASE WHEN {0} ~ {1} THEN '''' || {0} ELSE {0} END").format(stored, sql.SQL(_FORMULA))


def _as_text(moment: sql.Composable) -> sql.Composable:
    """As `to_char` would do it in thrice the time."""
    return sql.SQL("replace({}::timestamp::text, ' ', 'T') || 'Z'").format(moment)


def _conditions(entity: EntityType, scope_id: int, options: ExportOptions) -> Iterator[sql.Composable]:
    yield sql.SQL("shown.scope_id = {}").format(sql.Literal(scope_id))
    for name, wanted in options.filters.items():
        # Nearly always an index is asked for one key; a list of one would hide that.
        if len(wanted) == 1:
            yield sql.SQL("{} = {}").format(sql.Identifier("shown", name), sql.Literal(wanted[0]))
        else:
            yield sql.SQL("{} = ANY({})").format(sql.Identifier("shown", name), sql.Literal(list(wanted)))
    moment = sql.Identifier("shown", time_column(entity))
    if options.start_time is not None:
        yield sql.SQL("{} >= {}").format(moment, sql.Literal(options.start_time))
    if options.end_time is not None:
        yield sql.SQL("{} < {}").format(moment, sql.Literal(options.end_time))


def _in_blocks(blocks: Blocks) -> Iterator[sql.Composable]:
    yield sql.SQL("shown.ctid >= {}").format(sql.SQL(f"'({blocks.first},0)'::tid"))
    if blocks.end is not None:
        yield sql.SQL("shown.ctid < {}").format(sql.SQL(f"'({blocks.end},0)'::tid"))
