"""The records of a CSV chunk and their cells."""

from collections.abc import Iterator, Sequence

from schemas.row_errors import RowError, RowErrorCode
from service.errors import SourceRefusedError
from service.imports.formats.dialect import Dialect, cut_ending
from service.imports.formats.limits import Limits
from service.imports.formats.records import SAVE_AS_UTF8, Record, cell_error


def split_csv_records(chunk: bytes, dialect: Dialect, first_row: int, first_line: int) -> Iterator[Record]:
    """The records that are not blank lines; raises SourceRefusedError when a quote is not closed."""
    number = first_row
    for line, raw in _split(chunk, dialect, first_line):
        if raw:
            yield Record(number, line, raw)
            number += 1


def pick_csv_records(
    chunk: bytes, dialect: Dialect, first_row: int, first_line: int, wanted: Sequence[int]
) -> list[Record]:
    """The records of these row numbers, which rise."""
    numbers, last = set(wanted), wanted[-1]
    picked: list[Record] = []
    for record in split_csv_records(chunk, dialect, first_row, first_line):
        if record.number in numbers:
            picked.append(record)
        if record.number >= last:
            break
    return picked


def read_csv_cells(record: Record, dialect: Dialect, names: Sequence[str], limits: Limits) -> dict[str, str] | RowError:
    """The texts of a record by column; "" among the names is ignored."""
    raw = record.raw
    cells = dict(zip(names, dialect.split_cells(raw, len(names)), strict=False))
    cells.pop("", None)
    if len(raw) <= limits.field_max_bytes and b"\0" not in raw:
        try:
            return {name: cell.decode() for name, cell in cells.items()}
        except UnicodeDecodeError:
            # Which column it was is found below.
            pass
    for name, cell in cells.items():
        if fault := _find_fault(cell, limits):
            code, message = fault
            return cell_error(record, name, code, f"{name} {message}", cell.decode(errors="replace"))
    return {name: cell.decode() for name, cell in cells.items()}


def _split(chunk: bytes, dialect: Dialect, line: int) -> Iterator[tuple[int, bytes]]:
    """Each record without its ending and the line where it starts; blank lines too."""
    if dialect.quote not in chunk:
        for line_in_chunk, record in enumerate(chunk.split(b"\n")):
            yield line + line_in_chunk, record.removesuffix(b"\r")
        return
    start = 0
    while start < len(chunk):
        end = dialect.find_record_end(chunk, start)
        if end is None:
            message = f"The record that starts in line {line} has a quote that is never closed"
            raise SourceRefusedError(message)
        yield line, cut_ending(chunk[start:end])
        line += chunk.count(b"\n", start, end)
        start = end


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
            f"is not UTF-8 text from its byte {error.start + 1} on; {SAVE_AS_UTF8}",
        )
    return None
