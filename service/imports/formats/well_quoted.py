"""The record ends of CSV text in which quotes stand only where they belong, found for whole blocks at once.

The n-th quote opens or closes by parity as long as each that opens stands at the start of its field, or
beside the one that closed before it, and each that closes is followed by what ends a field, or by the
next quote. Up to the first quote that does not, this means the same as the dialect's patterns.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.imports.formats.dialect import Dialect

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_LINE_FEED, _CARRIAGE_RETURN = b"\n\r"


@dataclass(frozen=True, slots=True)
class RecordEnds:
    """The line ends that end records, in order; how many line ends there are up to each; which end blank lines."""

    places: Places
    lines: Places
    blank: npt.NDArray[np.bool_]


def find_record_ends(text: bytes, dialect: Dialect, *, is_quoted: bool, is_start: bool, missing: int) -> RecordEnds:
    """The record ends that are certain, seen from the first byte, which may stand in quotes or start a field.

    The first record began `missing` bytes before the text.
    """
    octets = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(octets == ord(dialect.quote))
    line_ends = np.flatnonzero(octets == _LINE_FEED)
    bad = _first_bad_quote(octets, quotes, ord(dialect.delimiter), is_quoted=is_quoted, is_start=is_start)
    certain = int(np.searchsorted(line_ends, bad))
    line_ends = line_ends[:certain]
    is_outside = (np.searchsorted(quotes, line_ends) + is_quoted) % 2 == 0
    lines = np.flatnonzero(is_outside) + 1
    places = line_ends[is_outside]
    return RecordEnds(places, lines, _are_blank(octets, places, missing))


def _first_bad_quote(octets: Octets, quotes: Places, delimiter: int, *, is_quoted: bool, is_start: bool) -> int:
    """Where the first quote stands that is not where it belongs, or is not seen to be; the end if there is none."""
    length = len(octets)
    opening, closing = (quotes[1::2], quotes[::2]) if is_quoted else (quotes[::2], quotes[1::2])
    before = octets[opening - 1]
    opens = (before == delimiter) | (before == _LINE_FEED)
    if len(opening) and opening[0] == 0:
        opens[0] = is_start
    after = octets[np.minimum(closing + 1, length - 1)]
    after_next = octets[np.minimum(closing + 2, length - 1)]
    closes = (after == delimiter) | (after == _LINE_FEED) | ((after == _CARRIAGE_RETURN) & (after_next == _LINE_FEED))
    closes &= closing < length - 1
    _accept_twins(opening, closing, opens, closes, is_quoted=is_quoted)
    bad = [length, *opening[~opens][:1].tolist(), *closing[~closes][:1].tolist()]
    return int(min(bad))


def _accept_twins(
    opening: Places,
    closing: Places,
    opens: npt.NDArray[np.bool_],
    closes: npt.NDArray[np.bool_],
    *,
    is_quoted: bool,
) -> None:
    """A quote that closes right before one that opens is half of a doubled one."""
    reopening = opening if is_quoted else opening[1:]
    pairs = min(len(reopening), len(closing))
    are_twins = reopening[:pairs] == closing[:pairs] + 1
    closes[:pairs] |= are_twins
    opens[len(opening) - len(reopening) :][:pairs] |= are_twins


def _are_blank(octets: Octets, places: Places, missing: int) -> npt.NDArray[np.bool_]:
    lengths = np.diff(places, prepend=-1 - missing) - 1
    is_return = (places > 0) & (octets[places - 1] == _CARRIAGE_RETURN)
    blank: npt.NDArray[np.bool_] = (lengths == 0) | ((lengths == 1) & is_return)
    return blank
