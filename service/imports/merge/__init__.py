"""How valid rows get into an entity's table: copied to a temporary table, then merged by one statement.

Each entity's module promises the same: the result equals its rows applied in file order, a blank cell
keeps what is stored, and everything happens in the caller's transaction.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from schemas.vocabulary import EntityType
from service.db.models import Task
from service.imports.merge import customers, events, features, prices
from service.imports.merge.result import Merged
from service.imports.validate import ValidRow

Merge = Callable[[Session, Task, Sequence[ValidRow]], Merged]

_MERGES: dict[EntityType, Merge] = {
    EntityType.CUSTOMERS: customers.merge,
    EntityType.EVENTS: events.merge,
    EntityType.FEATURES: features.merge,
    EntityType.PRICES: prices.merge,
}

__all__ = ["Merged", "merge_rows"]


def merge_rows(session: Session, task: Task, rows: Sequence[ValidRow]) -> Merged:
    """Merge the rows of one chunk into the table of the task's entity."""
    return _MERGES[EntityType(task.entity_type)](session, task, rows)
