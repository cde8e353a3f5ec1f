"""What a merge came to."""

from dataclasses import dataclass, field

from schemas.row_errors import RowError
from service.tracking.counters import Counters


@dataclass(frozen=True, slots=True)
class Merged:
    """The rows by what happened to them, and the rows that only the table could refuse."""

    counters: Counters
    errors: list[RowError] = field(default_factory=list)
