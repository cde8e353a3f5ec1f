"""The cells of a chunk by column, whatever its layout."""

from schemas.entities.row_schema import RowSchema
from service.imports.columns.cells import CellTable
from service.imports.columns.csv_cells import fill_constants, read_csv_columns
from service.imports.columns.json_cells import read_json_columns
from service.imports.read import Reading
from service.imports.source_format import Layout


def read_cells(chunk: bytes, reading: Reading, first_row: int, schema: RowSchema) -> CellTable:
    """The rows that can be read by columns, with constants filled in, and the numbers of all the others."""
    read = read_csv_columns if reading.format.layout is Layout.CSV else read_json_columns
    return fill_constants(read(chunk, reading, first_row, schema), dict(reading.constants))
