"""The only registry of entities: what of them is imported and exported, and by which rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.entities.customers import CustomerRow
from schemas.entities.events import EventRow
from schemas.entities.features import FeatureRow
from schemas.entities.prices import PriceRow
from schemas.entities.row_schema import RowSchema
from schemas.options import Mode
from schemas.vocabulary import EntityType


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of thing that is moved: the rules of its rows, of rows that only change something, its ids' prefix."""

    type: EntityType
    schema: RowSchema
    changes: RowSchema
    id_prefix: str

    @property
    def natural_key(self) -> str:
        """The column that names a row."""
        return self.schema.key

    def schema_for(self, mode: Mode) -> RowSchema:
        """The rules of rows that may do this."""
        return self.changes if mode is Mode.UPDATE else self.schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an import, in the order of the template."""
        return tuple(self.schema.fields)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns without which no row is good."""
        return tuple(name for name, column in self.schema.fields.items() if column.required)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """How further columns may begin, each of which holds one key of an object."""
        return tuple(column.prefix for column in self.schema.objects)


ENTITIES: Mapping[EntityType, Entity] = MappingProxyType(
    {
        entity.type: entity
        for entity in (
            Entity(EntityType.CUSTOMERS, CustomerRow(), CustomerRow.for_changes(), "cust"),
            Entity(EntityType.FEATURES, FeatureRow(), FeatureRow.for_changes(), "feat"),
            Entity(EntityType.PRICES, PriceRow(), PriceRow.for_changes(), "price"),
            Entity(EntityType.EVENTS, EventRow(), EventRow.for_changes(), "event"),
        )
    }
)
