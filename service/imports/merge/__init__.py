"""How valid rows get into an entity's table: copied straight where all are new, else staged and merged by SQL.

Each entity's module promises the same: the result equals its rows applied in file order, a blank cell
keeps what is stored unless the options say that it clears, and everything happens in the caller's
transaction. Rows come as a table of text: `row`, then the columns of the row schema, null for no value.
"""

from collections.abc import Callable

import pyarrow as pa
from sqlalchemy.orm import Session

from schemas.vocabulary import EntityType
from service.imports.merge import customers, events, features, prices
from service.imports.merge.result import Merged, Merging, Refusal
from service.tracking.counters import Counters

Merge = Callable[[Session, Merging, pa.Table], Merged]

_MERGES: dict[EntityType, Merge] = {
    EntityType.CUSTOMERS: customers.merge,
    EntityType.EVENTS: events.merge,
    EntityType.FEATURES: features.merge,
    EntityType.PRICES: prices.merge,
}

__all__ = ["Merged", "Merging", "Refusal", "merge_rows"]


def merge_rows(session: Session, merging: Merging, table: pa.Table) -> Merged:
    """Merge the rows of one chunk into the table of the task's entity."""
    if not table.num_rows:
        return Merged(Counters())
    return _MERGES[EntityType(merging.task.entity_type)](session, merging, table)
