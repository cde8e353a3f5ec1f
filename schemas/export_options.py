"""How a caller wants an export to be done: the words, what each entity can be exported and found by, the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType


class Compression(StrEnum):
    """How the bytes of an export object are packed; those of Parquet inside of the file."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


#: What a row has of its own, which an import ignores.
OWN_COLUMNS: Mapping[EntityType, tuple[str, ...]] = MappingProxyType(
    {
        entity: ("ingested_at",) if entity is EntityType.EVENTS else ("id", "created_at", "updated_at")
        for entity in ENTITIES
    }
)
#: The columns by whose values rows can be chosen.
FILTERS: Mapping[EntityType, tuple[str, ...]] = MappingProxyType(
    {
        EntityType.CUSTOMERS: ("external_id",),
        EntityType.FEATURES: ("lookup_key",),
        EntityType.PRICES: ("lookup_key", "entity_id"),
        EntityType.EVENTS: ("event_id", "external_customer_id", "event_name", "source"),
    }
)


def export_columns(entity_type: EntityType) -> tuple[str, ...]:
    """All columns of an export in their order: those that an import reads, then the row's own."""
    return (*ENTITIES[entity_type].columns, *OWN_COLUMNS[entity_type])


def time_column(entity_type: EntityType) -> str:
    """The column that a time window is about."""
    return "timestamp" if entity_type is EntityType.EVENTS else "created_at"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of one export, with the defaults filled in; no columns are all, no filters all rows."""

    columns: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start_time: datetime | None = None
    end_time: datetime | None = None
    compression: Compression = Compression.NONE
    file_name: str | None = None
    spreadsheet_safe: bool = False
    max_part_rows: int | None = None


def read_export_options(entity_type: EntityType, given: Mapping[str, Any] | None) -> ExportOptions:
    """Options as they are stored with a task, checked when they were given."""
    values = dict(given or {})
    for name in ("start_time", "end_time"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return ExportOptions(
        **{
            **values,
            "columns": tuple(values.get("columns", export_columns(entity_type))),
            "filters": {name: tuple(wanted) for name, wanted in values.get("filters", {}).items()},
            "compression": Compression(values.get("compression", Compression.NONE)),
        }
    )
