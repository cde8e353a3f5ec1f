"""Reads the rows of one chunk."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.row_errors import RowError, RowErrorCode, cut_value
from service.errors import SourceRefusedError
from service.imports.dialect import cut_ending, find_record_end, split_cells
from service.imports.limits import Limits


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a source as text: number from 1, the header not counted; the line where it starts.

    `cells` has no entry for a column that the record is too short for; a blank cell is "".
    """

    number: int
    line: int
    cells: dict[str, str]


def read_rows(
    chunk: bytes, header: tuple[str, ...], first_row: int, first_line: int, limits: Limits
) -> Iterator[Row | RowError]:
    """The rows of a chunk in order, or why one cannot be read; the same however the source was cut.

    `chunk` are the whole records between two boundaries, the first of them row `first_row`.
    Raises SourceRefusedError when a quote is not closed within the chunk.
    """
    names = _last_of_each(header)
    number = first_row
    for line, record in _split_records(chunk, first_line):
        if record:
            yield _read_row(record, names, number, line, limits)
            number += 1


def _last_of_each(header: tuple[str, ...]) -> tuple[str, ...]:
    """The header with "" for every column whose name comes again: the last one counts."""
    last = {name: place for place, name in enumerate(header)}
    return tuple(name if last[name] == place else "" for place, name in enumerate(header))


def _split_records(chunk: bytes, line: int) -> Iterator[tuple[int, bytes]]:
    """Each record without its ending and the line where it starts; blank lines too."""
    if b'"' not in chunk:
        for line_in_chunk, record in enumerate(chunk.split(b"\n")):
            yield line + line_in_chunk, record.removesuffix(b"\r")
        return
    start = 0
    while start < len(chunk):
        end = find_record_end(chunk, start)
        if end is None:
            message = f"The record that starts in line {line} has a quote that is never closed"
            raise SourceRefusedError(message)
        yield line, cut_ending(chunk[start:end])
        line += chunk.count(b"\n", start, end)
        start = end


def _read_row(record: bytes, names: tuple[str, ...], number: int, line: int, limits: Limits) -> Row | RowError:
    if len(record) > limits.row_max_bytes:
        message = f"the row is {len(record)} bytes long, the limit is {limits.row_max_bytes} (WHARF_ROW_MAX_BYTES)"
        return RowError(number, line, "", RowErrorCode.ROW_TOO_LONG, None, message)
    cells = dict(zip(names, split_cells(record, len(names)), strict=False))
    if len(record) <= limits.field_max_bytes and b"\0" not in record:
        try:
            return Row(number, line, {name: cell.decode() for name, cell in cells.items()})
        except UnicodeDecodeError:
            # Which column it was is found below.
            pass
    return _read_cells(cells, number, line, limits)


def _read_cells(cells: dict[str, bytes], number: int, line: int, limits: Limits) -> Row | RowError:
    for name, cell in cells.items():
        if fault := _find_fault(cell, limits):
            code, message = fault
            return RowError(number, line, name, code, cut_value(cell.decode(errors="replace")), f"{name} {message}")
    return Row(number, line, {name: cell.decode() for name, cell in cells.items()})


def _find_fault(cell: bytes, limits: Limits) -> tuple[RowErrorCode, str] | None:
    if len(cell) > limits.field_max_bytes:
        longest = limits.field_max_bytes
        return RowErrorCode.FIELD_TOO_LONG, f"is {len(cell)} bytes long, the limit is {longest} (WHARF_FIELD_MAX_BYTES)"
    if b"\0" in cell:
        return RowErrorCode.NUL_BYTE, "holds a NUL byte; take it out"
    try:
        cell.decode()
    except UnicodeDecodeError as error:
        return (
            RowErrorCode.INVALID_UTF8,
            f"is not UTF-8 text from its byte {error.start + 1} on; save the file as UTF-8",
        )
    return None
