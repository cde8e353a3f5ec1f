"""What a merge is told, and what it came to."""

from dataclasses import dataclass, field

from schemas.options import ImportOptions
from schemas.row_errors import RowErrorCode
from service.db.models import Task
from service.tracking.counters import Counters


@dataclass(frozen=True, slots=True)
class Merging:
    """The task whose rows are merged, how, and whether all rows before these are merged already."""

    task: Task
    options: ImportOptions
    in_file_order: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the table refuses a row: the column to mend and what stands there."""

    row: int
    column: str
    code: RowErrorCode
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The rows by what happened to them, and the rows that only the table could refuse; these are counted too."""

    counters: Counters
    refusals: list[Refusal] = field(default_factory=list)
