"""A chunk: its bytes, the cells of its rows by column, and the records of single rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from schemas.entities.row_schema import RowSchema
from service.imports.columns.cells import CellTable, is_filled
from service.imports.columns.csv_cells import read_csv_columns
from service.imports.columns.json_cells import read_json_columns
from service.imports.columns.plain import find_plain_ends, pick_plain_records
from service.imports.formats.read import Reading, Record, pick_records
from service.imports.formats.source_format import Layout
from service.imports.formats.well_quoted import RecordEnds


@dataclass(frozen=True)
class ChunkText:
    """The bytes of a chunk, how to read them, and the number and the line of its first row."""

    data: bytes = field(repr=False)
    reading: Reading
    first_row: int
    first_line: int

    def read_cells(self, schema: RowSchema) -> CellTable:
        """The rows that can be read by columns, with constants filled in, and the numbers of all the others."""
        if self.reading.format.layout is Layout.CSV:
            table = read_csv_columns(self.data, self._ends, self.reading, self.first_row, schema)
        else:
            table = read_json_columns(self.data, self.reading, self.first_row, schema)
        return _fill_constants(table, self.reading.constants)

    def pick(self, rows: Sequence[int]) -> list[Record]:
        """The records of these row numbers, which rise."""
        if not len(rows):
            return []
        if self._ends is not None:
            return pick_plain_records(self.data, self._ends, self.first_row, self.first_line, rows)
        return pick_records(self.data, self.reading.format, self.first_row, self.first_line, rows)

    @cached_property
    def _ends(self) -> RecordEnds | None:
        is_csv = self.reading.format.layout is Layout.CSV
        return find_plain_ends(self.data, self.reading) if is_csv else None


def _fill_constants(table: CellTable, constants: Mapping[str, str]) -> CellTable:
    """The same with each constant where its column is absent or its cell blank."""
    cells = dict(table.cells)
    for name, constant in constants.items():
        given = cells.get(name)
        text = pa.scalar(constant, pa.string())
        cells[name] = pa.repeat(text, len(table.rows)) if given is None else pc.if_else(is_filled(given), given, text)
    return CellTable(table.rows, cells, table.others)
