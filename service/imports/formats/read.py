"""Reads the rows of one chunk, whatever its layout; the same rows however the source was cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from schemas.row_errors import RowError, RowErrorCode
from service.imports.formats.csv_records import pick_csv_records, read_csv_cells, split_csv_records
from service.imports.formats.dialect import dialect_of
from service.imports.formats.json_records import read_json_cells, split_array, split_lines
from service.imports.formats.limits import Limits
from service.imports.formats.records import Record, cell_error
from service.imports.formats.source_format import Layout, SourceFormat

__all__ = ["Reading", "Record", "Row", "pick_records", "read_record", "read_rows", "split_records"]


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a source: number from 1, the header not counted; the line where it starts.

    The cells of CSV are text, those of JSON are JSON values, decimal fractions as Decimal. `cells` has
    no entry for a column that the record lacks; a blank cell is "" or None.
    """

    number: int
    line: int
    cells: dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """How the records of a source become rows.

    `names` are the columns of a CSV source after mapping: "" is ignored, of two equal ones the last
    counts. JSON has none: its keys are mapped in each object. `constants` stand where a row has
    nothing in that column.
    """

    format: SourceFormat
    limits: Limits
    names: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    mapping: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The names with "" for every column whose name comes again."""
        last = {name: place for place, name in enumerate(self.names)}
        return tuple(name if last[name] == place else "" for place, name in enumerate(self.names))


def split_records(chunk: bytes, source_format: SourceFormat, first_row: int, first_line: int) -> Iterator[Record]:
    """The records of a chunk in order, blank lines left out; the first of them is row `first_row`.

    `chunk` are the whole records between two boundaries. Raises SourceRefusedError when a quote is not
    closed within the chunk.
    """
    match source_format.layout:
        case Layout.CSV:
            return split_csv_records(chunk, dialect_of(source_format), first_row, first_line)
        case Layout.JSON:
            return split_array(chunk, first_row, first_line)
        case Layout.NDJSON:
            return split_lines(chunk, first_row, first_line)


def pick_records(
    chunk: bytes, source_format: SourceFormat, first_row: int, first_line: int, wanted: Sequence[int]
) -> list[Record]:
    """The records with these row numbers, given in rising order; raises as `split_records`."""
    if not len(wanted):
        return []
    if source_format.layout is Layout.CSV:
        return pick_csv_records(chunk, dialect_of(source_format), first_row, first_line, wanted)
    return list(_pick(split_records(chunk, source_format, first_row, first_line), first_row, wanted))


def read_record(record: Record, reading: Reading) -> Row | RowError:
    """The cells of a record with constants filled in, or why it cannot be read."""
    row_bytes, longest = len(record.raw), reading.limits.row_max_bytes
    if row_bytes > longest:
        message = f"the row is {row_bytes} bytes long, the limit is {longest} (WHARF_ROW_MAX_BYTES)"
        return cell_error(record, "", RowErrorCode.ROW_TOO_LONG, message, None)
    if reading.format.layout is Layout.CSV:
        cells = read_csv_cells(record, dialect_of(reading.format), reading.places, reading.limits)
    else:
        cells = read_json_cells(record, reading.mapping, reading.limits)
    if isinstance(cells, RowError):
        return cells
    for name, constant in reading.constants.items():
        given = cells.get(name)
        if given is None or given == "":
            cells[name] = constant
    return Row(record.number, record.line, cells)


def read_rows(chunk: bytes, reading: Reading, first_row: int, first_line: int) -> Iterator[Row | RowError]:
    """The rows of a chunk in order, or why one cannot be read; raises as `split_records`."""
    return (read_record(record, reading) for record in split_records(chunk, reading.format, first_row, first_line))


def _pick(records: Iterable[Record], first_row: int, wanted: Sequence[int]) -> Iterator[Record]:
    unread, row = iter(records), first_row
    for number in wanted:
        record = next(islice(unread, number - row, None), None)
        if record is None:
            return
        yield record
        row = number + 1
