"""The files that are imported, and the same rows as the table holds them, for whoever copies them straight in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

CUSTOMER_COLUMNS = (
    "id", "import_id", "import_row", "scope_id", "external_id", "name", "email", "address_line1", "address_city",
    "address_state", "address_postal_code", "address_country", "metadata",
)  # fmt: skip
EVENT_COLUMNS = (
    "import_id", "import_row", "scope_id", "event_id", "timestamp", "event_name", "external_customer_id", "source",
    "properties",
)  # fmt: skip
SCOPE_ID = 1
#: The task that a row belongs to which was there before.
EARLIER_IMPORT = 0
_BAD_EVERY = 20
_BLOCK_ROWS = 10_000
_PLACES = (("Berlin", "BE", "DE"), ("Lyon", "ARA", "FR"), ("New York", "NY", "US"), ("São Paulo", "SP", "BR"))
_TIERS = ("gold", "silver", "free")
CUSTOMER_HEADER = (
    "external_id,name,email,address_line1,address_city,address_state,address_postal_code,address_country,metadata.tier"
)
_EVENT_HEADER = "event_id,event_name,external_customer_id,timestamp,source,properties.model,properties.tokens"


@dataclass(frozen=True, slots=True)
class Samples:
    """A folder with all files, each of so many rows."""

    folder: Path
    rows: int

    def path(self, name: str) -> Path:
        """Where a file of this name lies."""
        return self.folder / name

    def head(self, name: str, rows: int) -> Path:
        """The first rows of a table file, without a header, as a file of its own."""
        path = self.path(f"{rows}-{name}")
        if not path.exists():
            with self.path(name).open(encoding="utf-8") as file:
                path.write_text("".join(islice(file, rows)), encoding="utf-8")
        return path


def write_samples(folder: Path, rows: int) -> Samples:
    """Write all files; `changed` are the same customers with another name, street and tier."""
    samples = Samples(folder, rows)
    for name, changed in (("customers", False), ("changed", True)):
        _write(samples.path(f"{name}.csv"), rows, _customer(changed=changed, bad=False), CUSTOMER_HEADER)
        _write(samples.path(f"{name}-bad.csv"), rows, _customer(changed=changed, bad=True), CUSTOMER_HEADER)
        _write(samples.path(f"{name}.table"), rows, _customer_in_table(changed=changed))
    _write(samples.path("events.csv"), rows, _event, _EVENT_HEADER)
    _write(samples.path("events.ndjson"), rows, _event_as_json)
    _write(samples.path("events.table"), rows, _event_in_table)
    return samples


def write_table_file(path: Path, table: str, rows: int) -> None:
    """Write the rows of a table, without a header, as they are copied into it."""
    _write(path, rows, {"customers": _customer_in_table(changed=False), "events": _event_in_table}[table])


def make_customer(number: int) -> str:
    """One new customer as a line of CSV."""
    return _customer(changed=False, bad=False)(number)


def make_customer_object(number: int) -> str:
    """The same customer as JSON."""
    cells = _customer_cells(number, f"user.{number}@mail{number % 7}.example.com", changed=False)
    given = dict(zip(CUSTOMER_HEADER.split(",")[:-1], cells, strict=True))
    return json.dumps({**given, "metadata": {"tier": _tier(number, changed=False)}}, ensure_ascii=False)


def _write(path: Path, rows: int, make: Callable[[int], str], header: str | None = None) -> None:
    with path.open("w", encoding="utf-8") as file:
        if header:
            file.write(header + "\n")
        for block in _blocks(rows):
            file.write("".join(map(make, block)))


def _blocks(rows: int) -> Iterator[range]:
    for first in range(0, rows, _BLOCK_ROWS):
        yield range(first, min(rows, first + _BLOCK_ROWS))


def _customer(*, changed: bool, bad: bool) -> Callable[[int], str]:
    def make(number: int) -> str:
        is_bad = bad and number % _BAD_EVERY == 0
        email = f"nobody.{number}" if is_bad else f"user.{number}@mail{number % 7}.example.com"
        return ",".join((*_customer_cells(number, email, changed=changed), _tier(number, changed=changed))) + "\n"

    return make


def _customer_in_table(*, changed: bool) -> Callable[[int], str]:
    def make(number: int) -> str:
        email = f"user.{number}@mail{number % 7}.example.com"
        cells = _customer_cells(number, email, changed=changed)
        metadata = f'"{{""tier"": ""{_tier(number, changed=changed)}""}}"'
        customer_id = f"cust_01K3ZQ8Y5T{number:016d}"
        return ",".join((customer_id, str(EARLIER_IMPORT), str(number + 1), str(SCOPE_ID), *cells, metadata)) + "\n"

    return make


def _customer_cells(number: int, email: str, *, changed: bool) -> tuple[str, ...]:
    city, state, country = _PLACES[number % len(_PLACES)]
    return (
        f"customer-{number:09d}",
        f"{'Renamed' if changed else 'Customer'} {number}",
        email,
        f"{number % 997 + changed} Main Street",
        city,
        state,
        str(10_000 + number % 90_000),
        country,
    )


def _tier(number: int, *, changed: bool) -> str:
    return _TIERS[(number + changed) % len(_TIERS)]


def _event(number: int) -> str:
    return ",".join((*_event_cells(number), _model(number), str(number % 5000))) + "\n"


def _event_as_json(number: int) -> str:
    """The same event, its properties as an object of texts: as the columns of the CSV file give them."""
    names = ("event_id", "event_name", "external_customer_id", "timestamp", "source")
    properties = {"model": _model(number), "tokens": str(number % 5000)}
    return json.dumps({**dict(zip(names, _event_cells(number), strict=True)), "properties": properties}) + "\n"


def _event_in_table(number: int) -> str:
    event_id, event_name, customer, time, source = _event_cells(number)
    properties = f'"{{""model"": ""{_model(number)}"", ""tokens"": ""{number % 5000}""}}"'
    cells = (EARLIER_IMPORT, number + 1, SCOPE_ID, event_id, time, event_name, customer, source, properties)
    return ",".join(map(str, cells)) + "\n"


def _event_cells(number: int) -> tuple[str, str, str, str, str]:
    second = number % 86_400
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    time = f"2026-10-{number // 86_400 % 28 + 1:02d}T{clock}.{number % 1000:03d}Z"
    return f"evt_{number:012d}", "api_call", f"customer-{number % 100_000}", time, "gateway"


def _model(number: int) -> str:
    return f"model-{number % 7}"
