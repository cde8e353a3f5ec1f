"""Tells what a source is by how it begins: its layout, and of CSV the delimiter and the quote."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from schemas.vocabulary import FileType
from service.errors import SourceRefusedError
from service.imports.formats.dialect import Dialect, cut_ending, make_dialect
from service.imports.formats.json_structure import WHITE_SPACE

BOM = codecs.BOM_UTF8
#: As many bytes as it takes to tell other formats by how they begin.
SIGNATURE_BYTES = 8
#: How long the white space before the first value of JSON may be, and the header of CSV for its dialect to be found.
_SEARCHED_BYTES = 1024 * 1024

#: Those that are found by themselves, the likeliest first.
_DELIMITERS = (",", ";", "\t", "|")
_QUOTES = ('"', "'")

_SIGNATURES = {
    b"\x1f\x8b": "a gzip file within another compressed file; compress it once",
    b"\x28\xb5\x2f\xfd": "a zstd file within another compressed file; compress it once",
    b"PK\x03\x04": "a zip or xlsx file; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
    b"PAR1": "a Parquet file; name the file_type PARQUET",
    b"BZh": "a bzip2 file; decompress it, or compress it with gzip or zstd",
    b"\xfd7zXZ\x00": "an xz file; decompress it, or compress it with gzip or zstd",
    b"%PDF-": "a PDF; save the table as CSV",
}
_JSON_ROWS = re.compile(rb"\s*\[\s*\{")


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a source before it is read; `knows` tells whether a column's name means something."""

    file_type: FileType = FileType.CSV
    delimiter: str | None = None
    quote: str | None = None
    knows: Callable[[str], bool] = lambda _name: False


def refuse_other_formats(start: bytes, file_type: FileType) -> None:
    """Raise SourceRefusedError when the first bytes are those of a format that is not text, or is not CSV."""
    named = [name for signature, name in _SIGNATURES.items() if start.startswith(signature)]
    if file_type is FileType.CSV and _JSON_ROWS.match(start):
        named.append("an array of JSON objects; name the file_type JSON")
    if named:
        message = f"The file is no {file_type} text: it looks like {named[0]} and create a new task"
        raise SourceRefusedError(message)


def find_first_value(start: bytes, *, is_last: bool) -> int | None:
    """Where the first value of JSON begins, with [ or {; None when there was nothing but white space so far.

    Raises SourceRefusedError when it begins otherwise, or never.
    """
    text = start.lstrip(WHITE_SPACE)
    blank_bytes = len(start) - len(text)
    if blank_bytes > _SEARCHED_BYTES:
        message = f"The file begins with more than {_SEARCHED_BYTES} bytes of white space; take it out"
        raise SourceRefusedError(message)
    if text[:1] in {b"[", b"{"}:
        return blank_bytes
    if text:
        line = 1 + start.count(b"\n", 0, blank_bytes)
        found = repr(text[:1].decode("ascii", "backslashreplace"))
        message = (
            "The file is no JSON of rows: it must begin with [ for an array, or with { for one object in each line, "
            f"not with {found} (line {line})"
        )
        raise SourceRefusedError(message)
    if is_last:
        message = "The file is empty: it holds no JSON; to import nothing, send []"
        raise SourceRefusedError(message)
    return None


def find_dialect(start: bytes, expected: Expected, *, is_last: bool) -> Dialect | None:
    """The dialect whose header ends first and names most columns that are known; None when more must be seen.

    Of equals the comma counts before others, and the double quote before the single one.
    """
    delimiters = (expected.delimiter,) if expected.delimiter else _DELIMITERS
    quotes = (expected.quote,) if expected.quote else _QUOTES
    dialects = [make_dialect(delimiter, quote) for delimiter, quote in product(delimiters, quotes)]
    if len(dialects) == 1:
        return dialects[0]
    is_whole = is_last or len(start) >= _SEARCHED_BYTES
    text = start[:_SEARCHED_BYTES].lstrip(b"\r\n") + (b"\n" if is_whole else b"")
    headers = {dialect: header for dialect in dialects if (header := _find_header(text, dialect)) is not None}
    known = {dialect: _count_known(header, dialect, expected) for dialect, header in headers.items()}
    # A quote that closes before a comma alone keeps a header open for the other delimiters: who ends first counts.
    first_end = min((len(headers[dialect]) for dialect in headers if known[dialect]), default=None)
    if first_end is None:
        return dialects[0] if is_whole or len(headers) == len(dialects) else None
    return max((dialect for dialect in headers if len(headers[dialect]) <= first_end), key=known.__getitem__)


def _find_header(text: bytes, dialect: Dialect) -> bytes | None:
    """The first record; None when its line end is not in view."""
    end = dialect.find_record_end(text, 0) or 0
    return text[:end] if text[end - 1 : end] == b"\n" else None


def _count_known(header: bytes, dialect: Dialect, expected: Expected) -> int:
    """How many known columns it names; nothing speaks for a single quote that is not there."""
    if dialect.quote == b"'" and b"'" not in header and not expected.quote:
        return 0
    cells = dialect.split_cells(cut_ending(header), header.count(dialect.delimiter) + 1)
    return len({name for cell in cells if expected.knows(name := cell.decode(errors="replace"))})
