"""The only registry of entities: what of them is imported and exported, and by which rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.entities.customers import CustomerRow
from schemas.entities.events import EventRow
from schemas.entities.features import FeatureRow
from schemas.entities.prices import PriceRow
from schemas.entities.row_schema import RowSchema
from schemas.vocabulary import EntityType


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of thing that is moved: the rules of its rows, the column that names one, its ids' prefix."""

    type: EntityType
    schema: RowSchema
    natural_key: str
    id_prefix: str

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
            Entity(EntityType.CUSTOMERS, CustomerRow(), "external_id", "cust"),
            Entity(EntityType.FEATURES, FeatureRow(), "lookup_key", "feat"),
            Entity(EntityType.PRICES, PriceRow(), "lookup_key", "price"),
            Entity(EntityType.EVENTS, EventRow(), "event_id", "event"),
        )
    }
)
