"""A chunk by what the decision led to: Wharf's own columns, which read with pyarrow what it reads as we do."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from benchmarks.columns.data import HEADERS
from benchmarks.columns.limits import LIMITS
from schemas.entities import ENTITIES
from schemas.options import Blank
from schemas.vocabulary import EntityType
from service.ids import new_ids
from service.imports.columns.read import ChunkText
from service.imports.formats.read import Reading
from service.imports.formats.source_format import SourceFormat
from service.imports.merge.copy_table import copy_lines
from service.imports.validate import validate_chunk


def read(data: bytes, entity: str) -> ChunkText:
    """Nothing yet: reading and checking are one step here."""
    return ChunkText(data, Reading(SourceFormat(), LIMITS, HEADERS[entity]), 1, 2)


def check(table: ChunkText, entity: str) -> pa.Table:
    """The good rows, whatever way they were found; the errors of the others are made, too."""
    return validate_chunk(ENTITIES[EntityType(entity.upper())].schema, table, Blank.KEEP).table


def render(table: ChunkText, entity: str, clean: pa.Table) -> bytes:
    """The good rows as COPY's text, with an id and the row's number."""
    del table, entity
    ids = pa.array(new_ids("cust", clean.num_rows), pa.string())
    return b"".join(copy_lines(clean.append_column("id", ids)))


def to_rows(table: ChunkText) -> Iterable[tuple[Any, ...]]:
    """The records by row: what is odd is told from what is plain before pyarrow sees it."""
    numbers = range(table.first_row, table.first_row + table.data.count(b"\n"))
    return [(record.number, record.raw) for record in table.pick(list(numbers))]
