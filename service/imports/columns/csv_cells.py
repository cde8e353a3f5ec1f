"""The cells of CSV chunks by column, read by pyarrow where it reads as our dialect does."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from schemas.entities.row_schema import RowSchema
from service.imports.columns.cells import CellTable
from service.imports.columns.plain import take_plain_records
from service.imports.formats.dialect import dialect_of
from service.imports.formats.read import Reading
from service.imports.formats.well_quoted import RecordEnds

_WHITE_SPACE = " \t\v\f"


def read_csv_columns(
    chunk: bytes, ends: RecordEnds | None, reading: Reading, first_row: int, schema: RowSchema
) -> CellTable:
    """The cells of the columns that the schema knows; rows that are not plain, or ragged, are left to others."""
    data, rows, others = take_plain_records(chunk, ends, reading, first_row)
    if not data.strip(b"\r\n"):
        return CellTable(rows[:0], {}, others)
    names = _names_as_wide_as(data, reading)
    table, ragged = _parse(data, names, reading, _wanted_places(names, schema))
    if not len(rows):
        rows = np.arange(first_row, first_row + table.num_rows + len(ragged))
    is_ragged = np.zeros(len(rows), bool)
    is_ragged[ragged] = True
    cells = {names[int(place)]: table[place].combine_chunks() for place in table.column_names}
    others = np.union1d(others, rows[is_ragged])
    return _without_white_space(CellTable(rows[~is_ragged], cells, others), data, reading)


def _wanted_places(names: tuple[str, ...], schema: RowSchema) -> list[int]:
    """Where the columns stand that the schema knows; of two of one name the last."""
    last = {name: place for place, name in enumerate(names)}
    return sorted(place for name, place in last.items() if schema.knows(name))


def _names_as_wide_as(data: bytes, reading: Reading) -> tuple[str, ...]:
    """The names for as many cells as the first record has: in many files all are wider than the header."""
    end = data.find(b"\n")
    first = data.lstrip(b"\r\n") if end == -1 else data[:end].removesuffix(b"\r")
    width = len(dialect_of(reading.format).split_cells(first, reading.limits.columns_max + 1)) if first else 0
    names = reading.names
    return names + ("",) * (width - len(names)) if width > len(names) else names


def _parse(data: bytes, names: tuple[str, ...], reading: Reading, places: Iterable[int]) -> tuple[pa.Table, list[int]]:
    """The wanted columns as text, named by their places, and which records have too few or too many cells."""
    ragged: list[int] = []

    def leave_out(row: csv.InvalidRow) -> str:
        ragged.append(row.number - 1)
        return "skip"

    quote = reading.format.quote
    has_quotes = quote.encode() in data
    wanted = [str(place) for place in places]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(
            # The children of a worker are its parallelism.
            use_threads=False,
            block_size=len(data) + 1,
            column_names=[str(place) for place in range(len(names))],
        ),
        parse_options=csv.ParseOptions(
            delimiter=reading.format.delimiter,
            quote_char=quote if has_quotes else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=leave_out,
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False,
            null_values=[],
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
        ),
    )
    return table, ragged


def _without_white_space(table: CellTable, data: bytes, reading: Reading) -> CellTable:
    """White space before a cell is cut; where there are quotes it may stand inside them, so those rows are others'."""
    spaces = _WHITE_SPACE.replace(reading.format.delimiter, "")
    before_a_cell = rf"(?:^|\n|\x{ord(reading.format.delimiter):02x})[{spaces}]"
    if not pc.match_substring_regex(pa.array([data], pa.binary()), before_a_cell)[0].as_py():
        return table
    if reading.format.quote.encode() not in data:
        return CellTable(table.rows, {n: pc.ascii_ltrim(c, spaces) for n, c in table.cells.items()}, table.others)
    begins_so = [pc.match_substring_regex(cells, rf"^[{spaces}]") for cells in table.cells.values()]
    is_plain = ~np.any([np.asarray(begins) for begins in begins_so], axis=0)
    kept = {name: cells.filter(pa.array(is_plain)) for name, cells in table.cells.items()}
    return CellTable(table.rows[is_plain], kept, np.union1d(table.others, table.rows[~is_plain]))
