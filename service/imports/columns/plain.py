"""Which records of CSV bytes every reader takes the same way, so that a fast one may read them.

Plain records hold valid UTF-8 without NUL, no carriage return but in CRLF, quotes only where they open,
close or are doubled in a quoted cell, and are no longer than a cell may be.
"""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from service.imports.columns.cells import NO_ROWS, RowNumbers
from service.imports.formats.dialect import dialect_of
from service.imports.formats.read import Reading, Record, split_records
from service.imports.formats.well_quoted import RecordEnds, find_record_ends


def find_plain_ends(chunk: bytes, reading: Reading) -> RecordEnds | None:
    """Where the records of a chunk end; None where a quote or a carriage return stands oddly."""
    text = chunk if chunk.endswith(b"\n") else chunk + b"\n"
    if text.count(b"\r") != text.count(b"\r\n"):
        return None
    ends = find_record_ends(text, dialect_of(reading.format), is_quoted=False, is_start=True, missing=0)
    is_certain = len(ends.places) > 0 and ends.places[-1] == len(text) - 1
    return ends if is_certain else None


def take_plain_records(
    chunk: bytes, ends: RecordEnds | None, reading: Reading, first_row: int
) -> tuple[bytes, RowNumbers, RowNumbers]:
    """The bytes of the plain records of a chunk, their row numbers, and the numbers of the other rows.

    The numbers of a chunk that is plain throughout have to be counted by its reader: they come as an
    empty array.
    """
    limit = min(reading.limits.field_max_bytes, reading.limits.row_max_bytes)
    if ends is not None and np.diff(ends.places, prepend=-1).max() <= limit and _is_text(chunk):
        return chunk, NO_ROWS, NO_ROWS
    plain_record = _plain_record(reading.format.quote.encode(), reading.format.delimiter.encode())
    taken, plain, others = [], [], []
    for record in split_records(chunk, reading.format, first_row, 1):
        raw = record.raw
        if len(raw) <= limit and _is_text(raw) and b"\r" not in raw and plain_record.fullmatch(raw):
            taken.append(raw)
            plain.append(record.number)
        else:
            others.append(record.number)
    return b"\n".join(taken), np.array(plain, np.int64), np.array(others, np.int64)


def pick_plain_records(
    chunk: bytes, ends: RecordEnds, first_row: int, first_line: int, wanted: Sequence[int]
) -> list[Record]:
    """The records of these row numbers, which rise, from where records end."""
    places = np.flatnonzero(~ends.blank)[np.asarray(wanted) - first_row]
    starts = np.append(0, ends.places[:-1] + 1)[places].tolist()
    lines = (first_line + np.append(0, ends.lines[:-1])[places]).tolist()
    return [
        Record(row, line, chunk[start:end].removesuffix(b"\r"))
        for row, line, start, end in zip(wanted, lines, starts, ends.places[places].tolist(), strict=True)
    ]


def _is_text(raw: bytes) -> bool:
    if b"\0" in raw:
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@cache
def _plain_record(quote: bytes, delimiter: bytes) -> re.Pattern[bytes]:
    """A whole record whose quotes stand where they open, close or are doubled."""
    q, d = re.escape(quote), re.escape(delimiter)
    cell = rb"(?:%b(?:[^%b]|%b%b)*+%b|[^%b%b]*+)" % (q, q, q, q, q, q, d)
    return re.compile(rb"%b(?:%b%b)*" % (cell, d, cell), re.DOTALL)
