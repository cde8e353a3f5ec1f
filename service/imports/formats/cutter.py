"""Counts the lines and rows of a source as they pass, and cuts it into chunks at the ends of its records."""

import hashlib
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from service.errors import SourceRefusedError
from service.imports.formats.dialect import Dialect, count_blank_lines, cut_ending
from service.imports.formats.header import read_header, refuse_binary
from service.imports.formats.limits import Limits
from service.imports.formats.well_quoted import RecordEnds

#: How long the checksum of a chunk is.
DIGEST_BYTES = 16
#: A chunk ends after so many lines, too: very short rows cost more memory than their bytes tell.
CHUNK_LINES = 50_000


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """Where a chunk lies: its bytes [byte_start, byte_end) in the source, its rows, the line it starts in."""

    number: int
    byte_start: int
    byte_end: int
    first_row: int
    row_count: int
    first_line: int
    checksum: bytes


def digest_chunk(chunk: bytes) -> bytes:
    """The checksum of a chunk's bytes, 16 bytes long.

    BLAKE2b: an upload can be overwritten on purpose, so a CRC would not do, and it is faster than
    SHA-256 on processors without instructions for that.
    """
    return hashlib.blake2b(chunk, digest_size=DIGEST_BYTES).digest()


class ChunkCutter:
    """Is shown every byte of a source once, in order, and told which of them stand inside quotes.

    The header record, where there is one, comes first and is kept to be read; of the chunks only their digest is.
    """

    def __init__(self, limits: Limits, offset: int, dialect: Dialect | None) -> None:
        """Begin at this offset in the source, in its first line; without a dialect there is no header."""
        self.header: tuple[str, ...] = ()
        self._dialect = dialect
        self._in_header = dialect is not None
        self.data_start = 0
        self.offset = offset
        self.line = 1
        self.rows = 0
        self._limits = limits
        self._record_start = offset
        self._record_line = 1
        self._header_record = bytearray()
        self._chunks = 0
        self._start_chunk()

    def pass_quoted(self, text: bytes, start: int, stop: int) -> None:
        """Take bytes in which no record ends."""
        piece = memoryview(text)[start:stop]
        if self._in_header:
            self._header_record += piece
        else:
            self._digest.update(piece)
        self.line += text.count(b"\n", start, stop)
        self.offset += stop - start

    def pass_records(self, text: bytes, start: int, stop: int) -> list[ChunkSpan]:
        """Take bytes in which every line end ends a record; gives the chunks that end in them."""
        spans: list[ChunkSpan] = []
        while start < stop:
            newline = self._find_cut(text, start, stop)
            cut = newline + 1 or stop
            self._pass_lines(text, start, cut)
            if newline >= 0:
                spans += self._cut()
            start = cut
        return spans

    def pass_ends(self, text: bytes, ends: RecordEnds) -> list[ChunkSpan]:
        """The same for the start of a text up to the last of these record ends; other line ends stand in quotes."""
        spans: list[ChunkSpan] = []
        base, first_line = self.offset, self.line
        self._check_length(base + int(ends.places[0]) - self._record_start)
        rows = np.cumsum(~ends.blank) + self.rows
        start, place, count = 0, 0, len(ends.places)
        while place < count:
            long_enough = np.searchsorted(ends.places, self._chunk_start + self._chunk_bytes - 1 - base)
            many_enough = np.searchsorted(ends.lines, CHUNK_LINES - (first_line - self._first_line))
            last = max(place, min(int(long_enough), int(many_enough)))
            stop = int(ends.places[min(last, count - 1)]) + 1
            self._digest.update(memoryview(text)[start:stop])
            self.line = first_line + int(ends.lines[min(last, count - 1)])
            self.offset = base + stop
            self.rows = int(rows[min(last, count - 1)])
            if last < count:
                spans += self._cut()
            start, place = stop, last + 1
        self._record_start = self.offset
        self._record_line = self.line
        return spans

    @property
    def unended_bytes(self) -> int:
        """How far back the record began that has not ended yet."""
        return self.offset - self._record_start

    def end(self, ending: bytes) -> list[ChunkSpan]:
        """The source has ended with these bytes; gives the last chunk, if rows are left for one."""
        if self.offset - self._record_start > len(ending):
            self.rows += 1
        return self._cut()

    def refuse_too_long(self) -> None:
        """Raise SourceRefusedError when the record that has not ended yet is longer than the cap."""
        self._check_length(self.unended_bytes)

    def refuse_open_quote(self, line: int) -> NoReturn:
        """Raise SourceRefusedError: the source has ended inside a quoted field that was opened in this line."""
        self._refuse(f"a quote that opens a field in line {line} is never closed; close it, or double it")

    def _find_cut(self, text: bytes, start: int, stop: int) -> int:
        """The line end at which the chunk is long enough, in bytes or in lines; -1 where it lies further on."""
        newline = text.find(b"\n", start + self._missing_bytes(), stop)
        missing_lines = max(1, CHUNK_LINES - (self.line - self._first_line))
        if self._in_header or text.count(b"\n", start, newline + 1 or stop) <= missing_lines - (newline < 0):
            return newline
        newline = start - 1
        for _ in range(missing_lines):
            newline = text.find(b"\n", newline + 1, stop)
        return newline

    def _missing_bytes(self) -> int:
        """How far ahead the first line end lies that may end the chunk."""
        return max(0, self._chunk_start + self._chunk_bytes - 1 - self.offset)

    def _pass_lines(self, text: bytes, start: int, stop: int) -> None:
        base = self.offset - start
        self.pass_quoted(text, start, stop)
        first = text.find(b"\n", start, stop)
        if first == -1:
            return
        # Only the first record can be too long: the others lie within one piece of the source.
        self._check_length(base + first - self._record_start)
        blank_lines = count_blank_lines(text, first, stop)
        if self._record_start == base + start:
            blank_lines += not cut_ending(text[start : first + 1])
        self.rows += text.count(b"\n", first, stop) - blank_lines
        self._record_start = base + text.rfind(b"\n", first, stop) + 1
        self._record_line = self.line

    def _check_length(self, record_bytes: int) -> None:
        cap_bytes = record_cap_bytes(self._limits)
        if record_bytes > cap_bytes:
            question = "is a quote not closed?" if self._dialect else "is it one object in each line?"
            self._refuse(
                f"no line end within {cap_bytes} bytes, twice what a row may be long (WHARF_ROW_MAX_BYTES); {question}"
            )

    def _refuse(self, reason: str) -> NoReturn:
        place = f"Row {self.rows + 1} (line {self._record_line})"
        if self._in_header:
            refuse_binary(bytes(self._header_record[: record_cap_bytes(self._limits)]))
            place = f"The header (line {self._record_line})"
        message = f"{place}: {reason}"
        raise SourceRefusedError(message)

    def _cut(self) -> list[ChunkSpan]:
        """End the chunk here, or the header, or blank lines that belong to neither."""
        spans: list[ChunkSpan] = []
        if not self._dialect or not self._in_header:
            spans = [self._span()] if self.rows >= self._first_row else []
        elif self.rows:
            self.header = read_header(cut_ending(bytes(self._header_record)), self._dialect, self._limits)
            self.data_start = self.offset
            self.rows = 0
            self._in_header = False
        self._header_record.clear()
        self._start_chunk()
        return spans

    def _span(self) -> ChunkSpan:
        self._chunks += 1
        return ChunkSpan(
            number=self._chunks - 1,
            byte_start=self._chunk_start,
            byte_end=self.offset,
            first_row=self._first_row,
            row_count=self.rows - self._first_row + 1,
            first_line=self._first_line,
            checksum=self._digest.digest(),
        )

    def _start_chunk(self) -> None:
        self._chunk_start = self.offset
        # The header ends at the first record end.
        self._chunk_bytes = 0 if self._in_header else self._limits.chunk_bytes
        self._first_row = self.rows + 1
        self._first_line = self.line
        self._digest = hashlib.blake2b(digest_size=DIGEST_BYTES)


def record_cap_bytes(limits: Limits) -> int:
    """How long a record may be for the source to be read on behind it: twice what a row may be.

    Between the two a record is still found, and refused alone.
    """
    return 2 * limits.row_max_bytes
