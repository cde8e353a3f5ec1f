"""What the tests of the CSV engine share: limits of their own, and a whole source read in one call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from schemas.row_errors import RowError
from service.imports.formats.boundaries import ChunkSpan
from service.imports.formats.detect import Expected
from service.imports.formats.finder import SourceFinder
from service.imports.formats.limits import Limits
from service.imports.formats.read import Reading, Row, read_rows
from service.imports.formats.source_format import SourceFormat


@dataclass(frozen=True)
class TestLimits:
    """Limits that a test can reach."""

    __test__ = False

    chunk_bytes: int = 16
    row_max_bytes: int = 1000
    field_max_bytes: int = 1000
    columns_max: int = 10


@dataclass(frozen=True)
class Cut:
    """What the boundary finder makes of a source."""

    header: tuple[str, ...]
    data_start: int
    spans: list[ChunkSpan]
    format: SourceFormat = field(default_factory=SourceFormat)


def cut_source(blocks: Iterable[bytes], limits: Limits, expected: Expected | None = None) -> Cut:
    """Feed the blocks to a finder; raises SourceRefusedError."""
    finder = SourceFinder(limits, expected or Expected())
    spans = [span for block in blocks for span in finder.feed(block)]
    spans += finder.finish()
    return Cut(finder.header, finder.data_start, spans, finder.format)


def read_source(
    text: bytes, limits: Limits, blocks: Sequence[bytes] = (), expected: Expected | None = None
) -> list[Row | RowError]:
    """Every row of a source, by way of its chunks."""
    cut = cut_source(blocks or [text], limits, expected)
    reading = Reading(cut.format, limits, cut.header)
    return [
        row
        for span in cut.spans
        for row in read_rows(text[span.byte_start : span.byte_end], reading, span.first_row, span.first_line)
    ]


def split_at(text: bytes, places: Iterable[int]) -> list[bytes]:
    """The text in pieces, cut at these places (each taken modulo its length)."""
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(borders)]
