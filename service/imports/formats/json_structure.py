"""Finds what separates the values of a JSON array while it streams by, without parsing them.

Only quotes, backslashes, brackets and commas are looked at. A quote behind an odd number of backslashes
does not count, nor does anything between two quotes that do, and the two kinds of brackets count alike:
what stands between two separators may still be no JSON, which is told when the row is read.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

WHITE_SPACE = b" \t\r\n"

_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_OPENING, _CLOSING = b"[{", b"]}"
#: 1 for the characters that are looked at.
_IS_LOOKED_AT = bytes(character in b'"\\,[{]}' for character in range(256))
#: How far each character goes into the array, as one byte: 255 is one back.
_STEPS = bytes((character in _OPENING) - (character in _CLOSING) & 255 for character in range(256))


@dataclass(frozen=True, slots=True)
class Separators:
    """Places in a piece: the commas between values, and the bracket that ends the array; -1 if not in view."""

    commas: Places
    end: int


class ArrayScanner:
    """Is shown an array piece by piece, beginning behind its opening bracket; keeps three numbers between them."""

    def __init__(self) -> None:
        """Begin outside of strings, in the array."""
        self._depth = 1
        self._in_string = 0
        self._is_escaped = False

    def scan(self, piece: bytes) -> Separators:
        """The separators in the next bytes; what follows the end of the array has no meaning."""
        octets = np.frombuffer(piece, np.uint8)
        places = np.flatnonzero(np.frombuffer(piece.translate(_IS_LOOKED_AT), np.bool_))
        kinds = octets[places]
        quotes = kinds == _QUOTE
        self._unmark_escaped(quotes, places, kinds, len(piece))
        # Only whether the number of quotes is odd counts, so that it may wrap round.
        inside = np.cumsum(quotes, dtype=np.uint8)
        inside += np.uint8(self._in_string)
        inside &= 1
        if len(inside):
            self._in_string = int(inside[-1])
        outside = np.flatnonzero((inside == 0) & (kinds != _QUOTE))
        places, kinds = places[outside], kinds[outside]
        return self._separate(places, kinds)

    def _separate(self, places: Places, kinds: npt.NDArray[np.uint8]) -> Separators:
        depths = np.cumsum(np.frombuffer(kinds.tobytes().translate(_STEPS), np.int8), dtype=np.int32)
        depths += np.int32(self._depth)
        if len(depths):
            self._depth = int(depths[-1])
        ended = np.flatnonzero(depths == 0)
        commas = (kinds == _COMMA) & (depths == 1)
        if not len(ended):
            return Separators(places[commas], -1)
        return Separators(places[: ended[0]][commas[: ended[0]]], int(places[ended[0]]))

    def _unmark_escaped(
        self, quotes: npt.NDArray[np.bool_], places: Places, kinds: npt.NDArray[np.uint8], length: int
    ) -> None:
        """Take away the mark of quotes that a backslash before them escapes."""
        backslashes = places[kinds == _BACKSLASH]
        if not len(backslashes) and not self._is_escaped:
            return
        is_escaped = np.zeros(length + 1, np.bool_)
        is_escaped[0] = self._is_escaped
        if len(backslashes):
            begins = np.diff(backslashes, prepend=-2) != 1
            begun_at = np.maximum.accumulate(np.where(begins, backslashes, 0))
            # A run that began in the piece before counts from one further back if it was odd there.
            begun_at[begun_at == 0] -= self._is_escaped
            is_odd = (backslashes - begun_at) % 2 == 0
            is_escaped[backslashes[is_odd] + 1] = True
        quotes &= ~is_escaped[places]
        if length:
            self._is_escaped = bool(is_escaped[length])
