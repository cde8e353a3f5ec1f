"""What is imported, into which table, and who does the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.imports.rivals import DJANGO, PANDAS, PANDAS_MULTI, ROW_BY_ROW, Program, copy_and_merge, copy_whole
from benchmarks.imports.wharf import Run

COPY: Final = r"psql \copy"
MERGE: Final = "psql COPY + MERGE"
#: The ways that take the whole file, by name.
WHOLE: Mapping[str, Callable[[str, str, Path, int], Run]] = {COPY: copy_whole, MERGE: copy_and_merge}


@dataclass(frozen=True, slots=True)
class Case:
    """One file for Wharf; the table file with the same rows, and what the table holds before.

    `limit` is the way of PostgreSQL itself that it is measured by, `others` are what else does the same.
    """

    name: str
    entity: str
    file_name: str
    table_file: str
    limit: str
    filled_from: str | None = None
    refused_each: int = 0
    by_upload: bool = False
    file_type: str = "CSV"
    others: tuple[Program, ...] = ()

    @property
    def table(self) -> str:
        """The table that it goes into."""
        return self.entity.lower()

    def refused(self, rows: int) -> int:
        """How many of so many rows are refused."""
        return len(range(0, rows, self.refused_each)) if self.refused_each else 0


NEW: Final = "customers, new"
NEW_BAD: Final = "customers, new, 5 % refused"
EXISTING: Final = "customers, existing"
EXISTING_BAD: Final = "customers, existing, 5 % refused"
EVENTS_CSV: Final = "events, CSV"
EVENTS_NDJSON: Final = "events, NDJSON"

CASES = (
    Case(NEW, "CUSTOMERS", "customers.csv", "customers.table", COPY, others=(ROW_BY_ROW, PANDAS, PANDAS_MULTI, DJANGO)),
    Case("customers, new, upload and import", "CUSTOMERS", "customers.csv", "customers.table", COPY, by_upload=True),
    Case(NEW_BAD, "CUSTOMERS", "customers-bad.csv", "customers.table", COPY, refused_each=20),
    Case(EXISTING, "CUSTOMERS", "changed.csv", "changed.table", MERGE, "customers.table", others=(ROW_BY_ROW, DJANGO)),
    Case(EXISTING_BAD, "CUSTOMERS", "changed-bad.csv", "changed.table", MERGE, "customers.table", refused_each=20),
    Case(EVENTS_CSV, "EVENTS", "events.csv", "events.table", COPY),
    Case(EVENTS_NDJSON, "EVENTS", "events.ndjson", "events.table", COPY, file_type="NDJSON"),
)
