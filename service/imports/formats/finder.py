"""Finds out what a source is by its first bytes, and leaves the rest to the finder for that."""

from schemas.vocabulary import FileType
from service.imports.formats.boundaries import BoundaryFinder, ChunkSpan, LineFinder
from service.imports.formats.detect import (
    BOM,
    SIGNATURE_BYTES,
    Expected,
    find_dialect,
    find_first_value,
    refuse_other_formats,
)
from service.imports.formats.json_array import ArrayFinder
from service.imports.formats.json_structure import WHITE_SPACE
from service.imports.formats.limits import Limits
from service.imports.formats.source_format import Layout, SourceFormat

Finder = BoundaryFinder | LineFinder | ArrayFinder


class SourceFinder:
    """Takes the stored bytes of a source block by block and gives its chunks, whatever its layout.

    How it is cut into blocks makes no difference. `feed` and `finish` raise SourceRefusedError when the
    source cannot be cut.
    """

    def __init__(self, limits: Limits, expected: Expected) -> None:
        """Begin at the first byte, a byte order mark included."""
        self._limits = limits
        self._expected = expected
        self._start = b""
        self._finder: Finder | None = None
        self.format = SourceFormat(file_type=str(expected.file_type))

    @property
    def header(self) -> tuple[str, ...]:
        """The names in the header of CSV; empty until it was read, and for JSON."""
        return self._finder.header if self._finder else ()

    @property
    def data_start(self) -> int:
        """Where the rows begin; 0 until that is known."""
        return self._finder.data_start if self._finder else 0

    @property
    def rows(self) -> int:
        """How many rows have ended so far."""
        return self._finder.rows if self._finder else 0

    def feed(self, block: bytes) -> list[ChunkSpan]:
        """Take the next bytes of the source; gives the chunks that end in them."""
        if self._finder:
            return self._finder.feed(block)
        self._start += block
        return [] if len(self._start) < SIGNATURE_BYTES else self._begin(is_last=False)

    def finish(self) -> list[ChunkSpan]:
        """The source has ended; gives the last chunks."""
        spans = [] if self._finder else self._begin(is_last=True)
        return [*spans, *(self._finder.finish() if self._finder else [])]

    def _begin(self, *, is_last: bool) -> list[ChunkSpan]:
        refuse_other_formats(self._start, self._expected.file_type)
        offset = len(BOM) if self._start.startswith(BOM) else 0
        text = self._start[offset:]
        if self._expected.file_type is FileType.CSV:
            text = self._begin_csv(text, offset, is_last=is_last)
        else:
            text = self._begin_json(text, offset, is_last=is_last)
        if not self._finder:
            return []
        self._start = b""
        return self._finder.feed(text)

    def _begin_csv(self, text: bytes, offset: int, *, is_last: bool) -> bytes:
        dialect = find_dialect(text, self._expected, is_last=is_last)
        if dialect:
            self._format(Layout.CSV, dialect.delimiter.decode(), dialect.quote.decode())
            self._finder = BoundaryFinder(self._limits, dialect, offset)
        return text

    def _begin_json(self, text: bytes, offset: int, *, is_last: bool) -> bytes:
        # A file of lines may have none; an empty array at least has its brackets.
        has_no_lines = is_last and self._expected.file_type is FileType.NDJSON and not text.strip(WHITE_SPACE)
        place = 0 if has_no_lines else find_first_value(text, is_last=is_last)
        if place is None:
            return text
        if has_no_lines or text[place : place + 1] == b"{":
            self._format(Layout.NDJSON)
            self._finder = LineFinder(self._limits, offset)
            return text
        self._format(Layout.JSON)
        line = 1 + text.count(b"\n", 0, place)
        self._finder = ArrayFinder(self._limits, offset + place + 1, line)
        return text[place + 1 :]

    def _format(self, layout: Layout, delimiter: str = ",", quote: str = '"') -> None:
        self.format = SourceFormat(layout, delimiter, quote, file_type=str(self._expected.file_type))
