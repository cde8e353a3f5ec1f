"""A record of a source, and why one cannot be read."""

from dataclasses import dataclass

from schemas.row_errors import RowError, RowErrorCode, cut_value

#: What to do about bytes that are no characters.
SAVE_AS_UTF8 = "save the file as UTF-8, or name its encoding in the options"


@dataclass(frozen=True, slots=True)
class Record:
    """The bytes of one row without line ending or separators, its number, and the line where it starts."""

    number: int
    line: int
    raw: bytes


def cell_error(record: Record, column: str, code: RowErrorCode, message: str, value: str | None) -> RowError:
    """The row error of a record, with what stood there cut short."""
    return RowError(
        record.number, record.line, cut_value(column), code, None if value is None else cut_value(value), message
    )
