"""Which records of CSV bytes every reader takes the same way, so that a fast one may read them.

Plain records hold valid UTF-8 without NUL, no carriage return but in CRLF, quotes only where they open,
close or are doubled in a quoted cell, and are no longer than a cell may be.
"""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from service.imports.columns.cells import NO_ROWS, RowNumbers
from service.imports.read import Reading, Record, split_records

_LINE_FEED = 10
_CARRIAGE_RETURN = 13


def find_record_ends(chunk: bytes, reading: Reading) -> RowNumbers | None:
    """Where the records of a chunk end, blank lines too; None where quotes or carriage returns stand oddly.

    By parity: if each quote of an even place opens and each of an odd one closes, or stands beside its
    twin, then so it is; a quote that is data breaks it.
    """
    crlf = chunk.count(b"\r\n") + chunk.endswith(b"\r")
    if chunk.count(b"\r") != crlf:
        return None
    octets = np.frombuffer(chunk, np.uint8)
    line_ends = np.flatnonzero(octets == _LINE_FEED)
    quotes = np.flatnonzero(octets == ord(reading.format.quote))
    if len(quotes):
        if len(quotes) % 2 or not _are_well_placed(octets, quotes, ord(reading.format.delimiter)):
            return None
        line_ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
    return line_ends if chunk.endswith(b"\n") else np.append(line_ends, len(chunk))


def take_plain_records(
    chunk: bytes, record_ends: RowNumbers | None, reading: Reading, first_row: int
) -> tuple[bytes, RowNumbers, RowNumbers]:
    """The bytes of the plain records of a chunk, their row numbers, and the numbers of the other rows.

    The numbers of a chunk that is plain throughout have to be counted by its reader: they come as an
    empty array.
    """
    limit = _longest(reading)
    if record_ends is not None and _longest_record(record_ends) <= limit and _is_text(chunk):
        return chunk, NO_ROWS, NO_ROWS
    quote, delimiter = reading.format.quote.encode(), reading.format.delimiter.encode()
    record_pattern = _plain_record(quote, delimiter)
    taken, plain, others = [], [], []
    for record in split_records(chunk, reading.format, first_row, 1):
        raw = record.raw
        if len(raw) <= limit and _is_text(raw) and b"\r" not in raw and record_pattern.fullmatch(raw):
            taken.append(raw)
            plain.append(record.number)
        else:
            others.append(record.number)
    return b"\n".join(taken), np.array(plain, np.int64), np.array(others, np.int64)


def pick_plain_records(
    chunk: bytes, record_ends: RowNumbers, first_row: int, first_line: int, wanted: Sequence[int]
) -> list[Record]:
    """The records of these row numbers, which rise, from where records end."""
    starts = np.append(0, record_ends[:-1] + 1)
    is_blank = np.frombuffer(chunk + b"\n", np.uint8)[starts] == _LINE_FEED
    is_blank |= (record_ends - starts == 1) & (np.frombuffer(chunk, np.uint8)[starts - is_blank] == _CARRIAGE_RETURN)
    places = np.flatnonzero(~is_blank)[np.asarray(wanted) - first_row]
    line_ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _LINE_FEED)
    lines = first_line + np.searchsorted(line_ends, starts[places])
    return [
        Record(row, line, chunk[start:end].removesuffix(b"\r"))
        for row, line, start, end in zip(
            wanted, lines.tolist(), starts[places].tolist(), record_ends[places].tolist(), strict=True
        )
    ]


def _longest_record(record_ends: RowNumbers) -> int:
    return int(np.diff(record_ends, prepend=-1).max(initial=0))


def _is_text(raw: bytes) -> bool:
    if b"\0" in raw:
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _are_well_placed(octets: npt.NDArray[np.uint8], quotes: RowNumbers, delimiter: int) -> bool:
    opening, closing = quotes[::2], quotes[1::2]
    padded = np.concatenate(([_LINE_FEED], octets, [_LINE_FEED]))
    before, after = padded[opening], padded[closing + 2]
    is_twin = np.zeros(len(opening) + 1, bool)
    is_twin[1:-1] = opening[1:] == closing[:-1] + 1
    opens = is_twin[:-1] | (before == delimiter) | (before == _LINE_FEED)
    closes = is_twin[1:] | (after == delimiter) | (after == _LINE_FEED) | (after == _CARRIAGE_RETURN)
    return bool(opens.all() and closes.all())


def _longest(reading: Reading) -> int:
    return min(reading.limits.field_max_bytes, reading.limits.row_max_bytes)


@cache
def _plain_record(quote: bytes, delimiter: bytes) -> re.Pattern[bytes]:
    """A whole record whose quotes stand where they open, close or are doubled."""
    q, d = re.escape(quote), re.escape(delimiter)
    cell = rb"(?:%b(?:[^%b]|%b%b)*+%b|[^%b%b]*+)" % (q, q, q, q, q, q, d)
    return re.compile(rb"%b(?:%b%b)*" % (cell, d, cell), re.DOTALL)
