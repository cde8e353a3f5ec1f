"""A chunk row by row: the reader and the row schemas that decide every row that is not clean."""

import csv
import json
from collections.abc import Iterable
from io import StringIO
from typing import Any

from marshmallow import ValidationError

from benchmarks.columns.data import HEADERS
from benchmarks.columns.limits import LIMITS
from schemas.entities import ENTITIES
from schemas.row_errors import RowError
from schemas.vocabulary import EntityType
from service.imports.formats.read import Reading, Row, read_rows
from service.imports.formats.source_format import SourceFormat


def read(data: bytes, entity: str) -> list[Row]:
    """The rows of the chunk that can be read."""
    reading = Reading(SourceFormat(), LIMITS, HEADERS[entity])
    return [row for row in read_rows(data, reading, 1, 2) if not isinstance(row, RowError)]


def check(table: list[Row], entity: str) -> list[tuple[int, dict[str, Any]]]:
    """The good rows as values."""
    schema = ENTITIES[EntityType(entity.upper())].schema
    loaded = []
    for row in table:
        try:
            loaded.append((row.number, schema.load(row.cells)))
        except ValidationError:
            continue
    return loaded


def render(table: list[Row], entity: str, clean: list[tuple[int, dict[str, Any]]]) -> bytes:
    """The good rows as COPY's CSV, with an id and the row's number."""
    del table, entity
    sink = StringIO()
    writer = csv.writer(sink)
    for number, values in clean:
        cells = [json.dumps(cell) if isinstance(cell, dict) else cell for cell in values.values()]
        writer.writerow([f"cust_01K3B7Q2M8T5Z9{number:010d}", number, *cells])
    return sink.getvalue().encode()


def to_rows(table: list[Row]) -> Iterable[tuple[Any, ...]]:
    """The cells by row."""
    return [tuple(row.cells.values()) for row in table]
