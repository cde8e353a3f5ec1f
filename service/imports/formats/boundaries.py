"""Finds the record boundaries of CSV and of JSON lines while they stream by."""

from enum import Enum, auto

from service.errors import SourceRefusedError
from service.imports.formats.cutter import ChunkCutter, ChunkSpan, digest_chunk, record_cap_bytes
from service.imports.formats.dialect import Dialect
from service.imports.formats.limits import Limits
from service.imports.formats.well_quoted import find_record_ends

__all__ = ["BoundaryFinder", "ChunkSpan", "LineFinder", "digest_chunk"]


#: Small enough that what numpy makes of a piece stays in the processor's cache.
_PIECE_BYTES = 256 * 1024


class _Place(Enum):
    """Where in a field the next byte stands."""

    START = auto()
    PLAIN = auto()
    QUOTED = auto()


class BoundaryFinder:
    """Takes a source block by block and gives its chunks; how it is cut into blocks makes no difference.

    A chunk ends at the first record end that lies `chunk_bytes` or CHUNK_LINES or more behind the
    chunk's start. A chunk has at least one row: blank lines that would be one of their own belong to none. Nothing is
    kept but the header record and at most two bytes whose meaning depends on the next.

    `feed` and `finish` raise SourceRefusedError when the source cannot be cut: it is empty, its header is
    no UTF-8 text or names too many columns, a record is more than twice as long as a row may be, or a
    quote is never closed.
    """

    def __init__(self, limits: Limits, dialect: Dialect, offset: int = 0) -> None:
        """Begin at the first byte of the header, which lies at `offset` in the source."""
        self._piece_bytes = min(_PIECE_BYTES, record_cap_bytes(limits))
        self._dialect = dialect
        self._place = _Place.START
        self._quote_line = 1
        self._undecided = b""
        self._cutter = ChunkCutter(limits, offset, dialect)

    @property
    def header(self) -> tuple[str, ...]:
        """The names in the header record; empty until it was read."""
        return self._cutter.header

    @property
    def data_start(self) -> int:
        """Where the first byte behind the header record lies; 0 until it was read."""
        return self._cutter.data_start

    @property
    def rows(self) -> int:
        """How many rows have ended so far."""
        return self._cutter.rows

    def feed(self, block: bytes) -> list[ChunkSpan]:
        """Take the next bytes of the source; gives the chunks that end in them."""
        spans: list[ChunkSpan] = []
        # In pieces, so that a record within one of them is never too long.
        for start in range(0, len(block), self._piece_bytes):
            spans += self._read(self._undecided + block[start : start + self._piece_bytes])
        return spans

    def finish(self) -> list[ChunkSpan]:
        """The source has ended; gives the last chunk, if there is one."""
        ending = b"\r" if self._undecided.endswith(b"\r") else b""
        spans = self._read(self._undecided, is_last=True)
        if self._place is _Place.QUOTED:
            self._cutter.refuse_open_quote(self._quote_line)
        spans += self._cutter.end(ending)
        if not self.header:
            message = "The file is empty: it has no header line; add one and create a new task"
            raise SourceRefusedError(message)
        return spans

    def _read(self, text: bytes, *, is_last: bool = False) -> list[ChunkSpan]:
        spans, decided = self._scan(text, is_last=is_last)
        self._undecided = text[decided:]
        self._cutter.refuse_too_long()
        return spans

    def _scan(self, text: bytes, *, is_last: bool) -> tuple[list[ChunkSpan], int]:
        """Show the cutter what is decided of `text`; gives the chunks that ended and how far that was."""
        spans, start = self._pass_well_quoted(text)
        # What a carriage return at the end of a block means depends on the next byte.
        end = len(text) - (text.endswith(b"\r") and not is_last)
        while start < end:
            if self._place is _Place.QUOTED:
                stop = self._dialect.pass_body(text, start, end)
                self._cutter.pass_quoted(text, start, stop)
                if stop < end and not is_last and not self._dialect.is_closing_quote(text, stop):
                    return spans, stop
                if stop < end:
                    self._place = _Place.PLAIN
            else:
                stop = self._find_open_quote(text, start, end)
                spans += self._cutter.pass_records(text, start, stop)
                self._quote_line = self._cutter.line
            start = stop
        return spans, start

    def _pass_well_quoted(self, text: bytes) -> tuple[list[ChunkSpan], int]:
        """Show the cutter the records in which all quotes are where they belong, if the text begins with such."""
        if not self.header or self._dialect.quote not in text:
            return [], 0
        ends = find_record_ends(
            text,
            self._dialect,
            is_quoted=self._place is _Place.QUOTED,
            is_start=self._place is _Place.START,
            missing=self._cutter.unended_bytes,
        )
        if not len(ends.places):
            return [], 0
        self._place = _Place.START
        return self._cutter.pass_ends(text, ends), int(ends.places[-1]) + 1

    def _find_open_quote(self, text: bytes, start: int, end: int) -> int:
        """Behind the next opening quote whose field is not closed in its line and in view; else `end`.

        Until there every line end ends a record.
        """
        if self._place is _Place.PLAIN:
            rest = self._dialect.pass_rest_of_field(text, start, end)
            if rest is None:
                return end
            start = rest
        quote = text.find(self._dialect.quote, start, end)
        if quote == -1:
            field = max(start, text.rfind(self._dialect.delimiter, start, end) + 1, text.rfind(b"\n", start, end) + 1)
        else:
            line = max(start, text.rfind(b"\n", start, quote) + 1)
            field = self._dialect.pass_fields_in_lines(text, line, end)
            opened = self._dialect.pass_opening_quote(text, field, end)
            if opened is not None:
                self._place = _Place.QUOTED
                return opened
        self._place = _Place.PLAIN if text[field:end].lstrip(self._dialect.white_space) else _Place.START
        return end


class LineFinder:
    """The same for JSON lines, in which every line end ends a record; there is no header."""

    header: tuple[str, ...] = ()
    data_start = 0

    def __init__(self, limits: Limits, offset: int = 0) -> None:
        """Begin at the first byte, which lies at `offset` in the source."""
        self.data_start = offset
        self._piece_bytes = record_cap_bytes(limits)
        self._undecided = b""
        self._cutter = ChunkCutter(limits, offset, None)

    @property
    def rows(self) -> int:
        """How many rows have ended so far."""
        return self._cutter.rows

    def feed(self, block: bytes) -> list[ChunkSpan]:
        """Take the next bytes of the source; gives the chunks that end in them."""
        spans: list[ChunkSpan] = []
        for start in range(0, len(block), self._piece_bytes):
            text = self._undecided + block[start : start + self._piece_bytes]
            # Whether a carriage return alone is a blank line is told by the next byte.
            end = len(text) - text.endswith(b"\r")
            spans += self._cutter.pass_records(text, 0, end)
            self._undecided = text[end:]
            self._cutter.refuse_too_long()
        return spans

    def finish(self) -> list[ChunkSpan]:
        """The source has ended; gives the last chunk, if there is one."""
        spans = self._cutter.pass_records(self._undecided, 0, len(self._undecided))
        return spans + self._cutter.end(self._undecided)
