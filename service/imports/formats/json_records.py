"""The records of a JSON chunk and their cells."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.json_text import InvalidJsonError, check_characters, parse_json, to_json
from schemas.row_errors import RowError, RowErrorCode, cut_value
from service.imports.formats.header import effective_names
from service.imports.formats.json_structure import WHITE_SPACE, ArrayScanner
from service.imports.formats.limits import Limits
from service.imports.formats.records import SAVE_AS_UTF8, Record, cell_error


def split_array(chunk: bytes, first_row: int, first_line: int) -> Iterator[Record]:
    """The values of a part of an array, between whose commas it was cut."""
    start, line, counted = 0, first_line, 0
    for number, comma in enumerate([*ArrayScanner().scan(chunk).commas.tolist(), len(chunk)], first_row):
        value = chunk[start:comma].lstrip(WHITE_SPACE)
        line += chunk.count(b"\n", counted, counted := comma - len(value))
        yield Record(number, line, value.rstrip(WHITE_SPACE))
        start = comma + 1


def split_lines(chunk: bytes, first_row: int, first_line: int) -> Iterator[Record]:
    """The lines that are not blank."""
    number = first_row
    for line, text in enumerate(chunk.split(b"\n"), first_line):
        raw = text.removesuffix(b"\r")
        if raw:
            yield Record(number, line, raw)
            number += 1


def read_json_cells(record: Record, mapping: Mapping[str, str | None], limits: Limits) -> dict[str, Any] | RowError:
    """The values of a record by column."""
    try:
        value = parse_json(record.raw.decode(), read_float=Decimal, characters=False)
    except UnicodeDecodeError as error:
        message = f"the row is not UTF-8 text from its byte {error.start + 1} on; {SAVE_AS_UTF8}"
        return _refuse(record, RowErrorCode.INVALID_UTF8, message)
    except InvalidJsonError as error:
        return _refuse(record, RowErrorCode.INVALID_JSON, f"the row {error}")
    if not isinstance(value, dict):
        message = 'the row must be a JSON object such as {"name": "Ann"}'
        return _refuse(record, RowErrorCode.INVALID_JSON, message)
    names = effective_names(value, mapping)
    cells = {name: cell for name, cell in zip(names, value.values(), strict=True) if name}
    return _find_fault(record, cells, limits) or cells


def _refuse(record: Record, code: RowErrorCode, message: str) -> RowError:
    return cell_error(record, "", code, message, record.raw[:400].decode(errors="replace"))


def _find_fault(record: Record, cells: Mapping[str, Any], limits: Limits) -> RowError | None:
    """Why a cell cannot be stored, if one cannot: its characters or its length."""
    if b"\\u" in record.raw:
        for name, cell in cells.items():
            try:
                check_characters([name, cell])
            except InvalidJsonError as error:
                message = f"{cut_value(name)} {error}"
                return cell_error(record, name, RowErrorCode.INVALID_JSON, message, _text(cell))
    longest = limits.field_max_bytes
    if len(record.raw) > longest:
        for name, cell in cells.items():
            size_bytes = len(_text(cell).encode())
            if size_bytes > longest:
                message = (
                    f"{cut_value(name)} is {size_bytes} bytes long, the limit is {longest} (WHARF_FIELD_MAX_BYTES)"
                )
                return cell_error(record, name, RowErrorCode.FIELD_TOO_LONG, message, _text(cell))
    return None


def _text(cell: Any) -> str:
    """A cell as text: what is no text as its JSON."""
    return cell if isinstance(cell, str) else to_json(cell)
