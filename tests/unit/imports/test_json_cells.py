"""The cells of JSON by columns: few where rows share their keys, and never many where each has its own."""

from types import SimpleNamespace

import pytest

from schemas.entities.customers import CustomerRow
from schemas.options import Blank
from service.imports.columns.json_cells import read_json_columns
from service.imports.columns.read import ChunkText
from service.imports.formats.read import Reading
from service.imports.formats.source_format import Layout, SourceFormat
from service.imports.validate import validate_chunk

LIMITS = SimpleNamespace(chunk_bytes=1 << 22, row_max_bytes=1 << 20, field_max_bytes=1 << 20, columns_max=1000)
READING = Reading(SourceFormat(layout=Layout.NDJSON), LIMITS)
MOST_CELLS = 4_000_000


@pytest.mark.parametrize("prefix", ["", "metadata."])
def test_rows_with_keys_of_their_own_are_read_one_by_one(prefix: str) -> None:
    rows = 6000
    chunk = b"".join(
        b'{"external_id":"c-%d","name":"x","%skey-%d":"v"}\n' % (row, prefix.encode(), row)
        for row in range(1, rows + 1)
    )
    table = read_json_columns(chunk, READING, 1, CustomerRow())
    assert sum(len(cells) for cells in table.cells.values()) <= MOST_CELLS
    assert len(table.rows) + len(table.others) == rows
    validated = validate_chunk(CustomerRow(), ChunkText(chunk, READING, 1, 1), Blank.KEEP)
    assert validated.errors == []
    last = validated.table.slice(rows - 1).to_pylist()
    assert [(row["external_id"], row["metadata"]) for row in last] == [
        (f"c-{rows}", f'{{"key-{rows}": "v"}}' if prefix else None)
    ]


@pytest.mark.parametrize(("levels", "is_good"), [(63, True), (64, False)])
def test_a_key_that_nobody_asked_for_may_be_as_deep_as_any(levels: int, is_good: bool) -> None:
    chunk = f'{{"external_id": "c-1", "name": "x", "other": {"[" * levels}{"]" * levels}}}\n'.encode()
    validated = validate_chunk(CustomerRow(), ChunkText(chunk, READING, 1, 1), Blank.KEEP)
    assert (len(validated.table), len(validated.errors)) == ((1, 0) if is_good else (0, 1))
