"""What is exported, in which format, and who does the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.exports.rivals import BY_HAND, ORIGINAL, YIELD_PER, Program

#: The columns that an export has, in the order of its file.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customers": (
        "external_id", "name", "email", "address_line1", "address_line2", "address_city", "address_state",
        "address_postal_code", "address_country", "metadata", "id", "created_at", "updated_at",
    ),
    "events": (
        "event_name", "external_customer_id", "event_id", "customer_id", "timestamp", "source", "properties",
        "ingested_at",
    ),
}  # fmt: skip
#: How many events there are for each customer.
EVENTS_PER_CUSTOMER: Final = 5
CSV: Final = "CSV"


@dataclass(frozen=True, slots=True)
class Case:
    """One export of a whole table; `others` are what else does the same."""

    table: str
    file_type: str = CSV
    compression: str = "none"
    others: tuple[Program, ...] = ()

    @property
    def name(self) -> str:
        """How it is called in the results."""
        packed = "" if self.compression == "none" else f", {self.compression}"
        return f"{self.table}, {self.file_type}{packed}"

    def rows(self, customers: int) -> int:
        """How many rows its table has."""
        return customers * EVENTS_PER_CUSTOMER if self.table == "events" else customers


OTHERS = (BY_HAND, YIELD_PER, ORIGINAL)
CASES = (
    Case("customers", others=OTHERS),
    Case("customers", compression="gzip"),
    Case("customers", compression="zstd"),
    Case("customers", "NDJSON"),
    Case("customers", "JSON"),
    Case("events", others=OTHERS),
    Case("events", compression="gzip"),
    Case("events", compression="zstd"),
    Case("events", "NDJSON"),
    Case("events", "JSON"),
    # Last: the library that writes it stays in the worker's memory.
    Case("customers", "PARQUET"),
    Case("events", "PARQUET"),
)
