"""Which records of CSV bytes every reader takes the same way, so that a fast one may read them.

Plain records hold valid UTF-8 without NUL, no carriage return but in CRLF, quotes only where they open,
close or are doubled in a quoted cell, and are no longer than a cell may be.
"""

import re
from functools import cache

import numpy as np

from service.imports.columns.cells import RowNumbers
from service.imports.read import Reading, split_records

_LINE_FEED = 10
_CARRIAGE_RETURN = 13


def take_plain_records(chunk: bytes, reading: Reading, first_row: int) -> tuple[bytes, RowNumbers, RowNumbers]:
    """The bytes of the plain records of a chunk, their row numbers, and the numbers of the other rows.

    The numbers of a chunk that is plain throughout have to be counted by its reader: they come as an
    empty array.
    """
    if _is_plain(chunk, reading):
        return chunk, np.empty(0, np.int64), np.empty(0, np.int64)
    quote, delimiter = reading.format.quote.encode(), reading.format.delimiter.encode()
    record_pattern = _plain_record(quote, delimiter)
    limit = _longest(reading)
    taken, plain, others = [], [], []
    for record in split_records(chunk, reading.format, first_row, 1):
        raw = record.raw
        if len(raw) <= limit and _is_text(raw) and b"\r" not in raw and record_pattern.fullmatch(raw):
            taken.append(raw)
            plain.append(record.number)
        else:
            others.append(record.number)
    return b"\n".join(taken), np.array(plain, np.int64), np.array(others, np.int64)


def _is_plain(chunk: bytes, reading: Reading) -> bool:
    crlf = chunk.count(b"\r\n") + chunk.endswith(b"\r")
    return chunk.count(b"\r") == crlf and _is_text(chunk) and _has_plain_layout(chunk, reading)


def _is_text(raw: bytes) -> bool:
    if b"\0" in raw:
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_plain_layout(chunk: bytes, reading: Reading) -> bool:
    """Whether every quote stands where it opens, closes or is doubled, and no record is too long.

    By parity: if each quote of an even place opens and each of an odd one closes, or stands beside its
    twin, then so it is; a quote that is data breaks it.
    """
    octets = np.frombuffer(chunk, np.uint8)
    line_ends = np.flatnonzero(octets == _LINE_FEED)
    quotes = np.flatnonzero(octets == ord(reading.format.quote))
    if len(quotes):
        if len(quotes) % 2 or not _are_well_placed(octets, quotes, ord(reading.format.delimiter)):
            return False
        line_ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
    ends = np.concatenate(([-1], line_ends, [len(octets)]))
    return bool(np.diff(ends).max() <= _longest(reading))


def _are_well_placed(octets: np.ndarray[tuple[int], np.dtype[np.uint8]], quotes: RowNumbers, delimiter: int) -> bool:
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
