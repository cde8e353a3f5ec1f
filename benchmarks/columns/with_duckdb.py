"""A chunk by duckdb: it reads and writes files, so the chunk goes through one in memory (/dev/shm)."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from benchmarks.columns.data import HEADERS
from benchmarks.columns.rules import (
    COUNTRIES,
    EMAIL,
    EMAIL_CHARACTERS,
    KEY_CHARACTERS,
    LENGTHS,
    NOT_PLAIN,
    OBJECT,
    TIME,
)

duckdb: Any = import_module("duckdb")  # not a dependency of the project
connection = duckdb.connect(config={"threads": 1})


def read(data: bytes, entity: str) -> str:
    """The chunk as a table of text columns; gives its name."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in HEADERS[entity])
    with NamedTemporaryFile(dir="/dev/shm", suffix=".csv") as file:
        file.write(data)
        file.flush()
        connection.execute(
            f"CREATE OR REPLACE TABLE chunk AS SELECT row_number() OVER () AS number, * FROM read_csv('{file.name}', "
            f"header = false, columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"', "
            f"max_line_size = 20971520, nullstr = '\\x01', strict_mode = false)"
        )
    return "chunk"


def check(table: str, entity: str) -> str:
    """Whether each row is clean, as a column of the table."""
    rules = " AND ".join(_customers() if entity == "customers" else _events())
    connection.execute(f"CREATE OR REPLACE TABLE checked AS SELECT *, ({rules}) AS clean FROM {table}")
    return "checked"


def render(table: str, entity: str, clean: str) -> bytes:
    """The clean rows as COPY's CSV, with an id and the row's number."""
    del table
    plain = ", ".join(f'"{name}"' for name in HEADERS[entity] if not name.startswith(("metadata", "properties")))
    with NamedTemporaryFile(dir="/dev/shm", suffix=".csv") as file:
        connection.execute(
            f"COPY (SELECT 'cust_01K3B7Q2M8T5Z9' || lpad(number::VARCHAR, 10, '0'), number, {plain}, {_json(entity)} "
            f"FROM {clean} WHERE clean) TO '{file.name}' (FORMAT csv, HEADER false)"
        )
        return Path(file.name).read_bytes()


def _customers() -> list[str]:
    words = ", ".join(f"'{word}'" for word in COUNTRIES)
    return [
        _filled("external_id"),
        _filled("name"),
        f"(email = '' OR (regexp_matches(email, '{EMAIL}') AND length(email) <= {EMAIL_CHARACTERS}))",
        *(f"length({name}) <= {most}" for name, most in LENGTHS.items()),
        f"length(address_line1) <= {KEY_CHARACTERS}",
        f"(address_country = '' OR address_country IN ({words}))",
        f"NOT regexp_matches(\"metadata.tier\", '{NOT_PLAIN}')",
    ]


def _events() -> list[str]:
    return [
        _filled("event_id"),
        _filled("event_name"),
        _filled("external_customer_id"),
        f"regexp_matches(timestamp, '{TIME}')",
        f"length(source) <= {KEY_CHARACTERS}",
        f"NOT regexp_matches(\"properties.model\", '{NOT_PLAIN}')",
        f"regexp_matches(properties, '{OBJECT}')",
    ]


def _json(entity: str) -> str:
    if entity == "customers":
        return """CASE WHEN "metadata.tier" = '' THEN '{}' ELSE '{"tier": "' || "metadata.tier" || '"}' END"""
    return """'{"model": "' || "properties.model" || '", ' || properties[2:]"""


def _filled(name: str) -> str:
    return f"length({name}) BETWEEN 1 AND {KEY_CHARACTERS}"


def to_rows(table: str) -> Iterable[tuple[Any, ...]]:
    """The cells by row."""
    rows: list[tuple[Any, ...]] = connection.execute(f"SELECT * EXCLUDE number FROM {table} ORDER BY number").fetchall()
    return rows
