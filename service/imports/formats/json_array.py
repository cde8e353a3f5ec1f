"""Cuts a JSON array into chunks while it streams by; it may be one line of any length."""

import hashlib
from typing import NoReturn

import numpy as np

from service.errors import SourceRefusedError
from service.imports.formats.cutter import CHUNK_LINES, DIGEST_BYTES, ChunkSpan, record_cap_bytes
from service.imports.formats.json_structure import WHITE_SPACE, ArrayScanner, Places, Separators
from service.imports.formats.limits import Limits

#: Small enough that what numpy makes of a piece stays in the processor's cache.
_PIECE_BYTES = 256 * 1024


class ArrayFinder:
    """Takes an array block by block, beginning behind its bracket; how it is cut into blocks makes no difference.

    A row is what stands between two commas of the array. A chunk ends at the first comma that lies
    `chunk_bytes` or CHUNK_LINES rows behind its start, and goes without that comma. None of the bytes
    are kept. `feed` and `finish` raise SourceRefusedError when the array does not end, when something
    stands behind its end, or when a row is more than twice as long as it may be.
    """

    header: tuple[str, ...] = ()

    def __init__(self, limits: Limits, offset: int, line: int) -> None:
        """Begin behind the opening bracket, which ends at `offset` in this line."""
        self.data_start = offset
        self.rows = 0
        self._chunk_bytes = limits.chunk_bytes
        self._cap_bytes = record_cap_bytes(limits)
        self._scanner = ArrayScanner()
        self._offset = offset
        self._line = line
        self._has_ended = False
        self._chunks = 0
        self._record_start = offset
        self._record_line = line
        self._is_blank = True
        self._blank_bytes = 0
        self._blank_lines = 0
        self._start_chunk()

    def feed(self, block: bytes) -> list[ChunkSpan]:
        """Take the next bytes of the source; gives the chunks that end in them."""
        spans: list[ChunkSpan] = []
        for start in range(0, len(block), _PIECE_BYTES):
            piece = block[start : start + _PIECE_BYTES]
            if self._has_ended:
                self._pass_tail(piece, 0)
            else:
                spans += self._pass_rows(piece)
        return spans

    def finish(self) -> list[ChunkSpan]:
        """The source has ended; its chunks were all given before."""
        if not self._has_ended:
            reason = "the file ends before the array does; is it cut off, or is a bracket or a quote not closed?"
            self._refuse(self.rows + 1, self._record_line, reason)
        return []

    def _pass_rows(self, piece: bytes) -> list[ChunkSpan]:
        separators = self._scanner.scan(piece)
        ends = self._row_ends(piece, separators)
        self._follow_records(piece, ends, separators)
        if separators.end >= 0 and piece[separators.end : separators.end + 1] != b"]":
            self._refuse(self.rows + len(ends), self._record_line, "a } closes the array, which begins with [")
        spans, passed = self._cut(piece, ends, separators)
        if separators.end < 0:
            self._take(piece, passed, len(piece))
        else:
            self._has_ended = True
            self._take(piece, passed, separators.end + 1)
            self._pass_tail(piece, separators.end + 1)
        return spans

    def _row_ends(self, piece: bytes, separators: Separators) -> Places:
        """Where rows end; an array that holds nothing but white space has none."""
        if separators.end < 0:
            return separators.commas
        is_empty = not self.rows and not len(separators.commas)
        if is_empty and self._is_blank and not piece[: separators.end].strip(WHITE_SPACE):
            return separators.commas
        return np.append(separators.commas, separators.end)

    def _follow_records(self, piece: bytes, ends: Places, separators: Separators) -> None:
        """Refuse the first record that is too long; remember where the last one starts."""
        begun_at = self._record_start - self._offset
        starts = np.concatenate(([begun_at], ends + 1))
        last = separators.end if separators.end >= 0 else len(piece)
        lengths = np.append(ends, last) - starts
        too_long = np.flatnonzero(lengths > self._cap_bytes)
        place = int(too_long[0]) if len(too_long) else len(ends) - (separators.end >= 0 and len(ends) > 0)
        start = int(starts[place])
        if place:
            self._start_record(self._offset + start, self._line + piece.count(b"\n", 0, start))
        self._find_record_line(piece, max(0, start))
        if len(too_long):
            reason = (
                f"the array goes on for {self._cap_bytes} bytes without a comma behind this row, twice what a row may "
                "be long (WHARF_ROW_MAX_BYTES); is a quote or a bracket not closed?"
            )
            self._refuse(self.rows + place + 1, self._record_line, reason)

    def _find_record_line(self, piece: bytes, start: int) -> None:
        """A record's line is that of its first byte that is no white space."""
        if not self._is_blank:
            return
        seen = piece[start : start + self._cap_bytes - self._blank_bytes]
        blank_bytes = len(seen) - len(seen.lstrip(WHITE_SPACE))
        self._blank_bytes += blank_bytes
        self._blank_lines += seen.count(b"\n", 0, blank_bytes)
        if blank_bytes < len(seen):
            self._is_blank = False
            self._record_line += self._blank_lines

    def _cut(self, piece: bytes, ends: Places, separators: Separators) -> tuple[list[ChunkSpan], int]:
        """The chunks that end in the piece, and how far it was taken."""
        spans: list[ChunkSpan] = []
        base = self._offset
        taken, row = 0, 0
        while row < len(ends):
            long_enough = int(np.searchsorted(ends, self._chunk_start + self._chunk_bytes - base))
            many_enough = row + CHUNK_LINES - (self.rows - self._first_row + 1) - 1
            cut = max(row, min(long_enough, many_enough))
            if separators.end >= 0:
                cut = min(cut, len(ends) - 1)
            if cut >= len(ends):
                self.rows += len(ends) - row
                break
            self.rows += cut - row + 1
            end = int(ends[cut])
            self._take(piece, taken, end)
            spans.append(self._span())
            taken, row = end, cut + 1
            if end != separators.end:
                self._take(piece, end, end + 1)
                taken = end + 1
            self._start_chunk()
        return spans, taken

    def _take(self, piece: bytes, start: int, stop: int) -> None:
        self._digest.update(memoryview(piece)[start:stop])
        self._line += piece.count(b"\n", start, stop)
        self._offset += stop - start

    def _pass_tail(self, piece: bytes, start: int) -> None:
        """Behind the array there may be white space only."""
        tail = piece[start:]
        text = tail.lstrip(WHITE_SPACE)
        self._line += tail.count(b"\n", 0, len(tail) - len(text))
        if text:
            message = f"Line {self._line}: something stands behind the end of the array; put all rows into one array"
            raise SourceRefusedError(message)

    def _start_record(self, start: int, line: int) -> None:
        self._record_start = start
        self._record_line = line
        self._is_blank = True
        self._blank_bytes = 0
        self._blank_lines = 0

    def _refuse(self, row: int, line: int, reason: str) -> NoReturn:
        message = f"Row {row} (line {line}): {reason}"
        raise SourceRefusedError(message)

    def _span(self) -> ChunkSpan:
        self._chunks += 1
        return ChunkSpan(
            number=self._chunks - 1,
            byte_start=self._chunk_start,
            byte_end=self._offset,
            first_row=self._first_row,
            row_count=self.rows - self._first_row + 1,
            first_line=self._first_line,
            checksum=self._digest.digest(),
        )

    def _start_chunk(self) -> None:
        self._chunk_start = self._offset
        self._first_row = self.rows + 1
        self._first_line = self._line
        self._digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
