"""Where the boundary finder cuts, and what it refuses."""
# ruff: noqa: ISC004  # messages are longer than a line

import pytest

from service.errors import SourceRefusedError
from service.imports.formats.boundaries import ChunkSpan, digest_chunk
from service.imports.formats.cutter import CHUNK_LINES
from service.imports.formats.detect import Expected
from service.imports.formats.finder import SourceFinder
from tests.unit.imports.csv_parts import Cut, TestLimits, cut_source

NO_LINE_END = "no line end within 40 bytes, twice what a row may be long (WHARF_ROW_MAX_BYTES); is a quote not closed?"
NO_TEXT = "The file is not UTF-8 CSV text"


def test_a_chunk_ends_at_the_first_record_end_that_is_far_enough() -> None:
    text = b'\xef\xbb\xbfid,name\r\n1,"a\nb"\n\n2,c\n3,d\n'
    assert cut_source([text], TestLimits(chunk_bytes=9)) == Cut(
        header=("id", "name"),
        data_start=12,
        spans=[
            ChunkSpan(0, 12, 21, 1, 1, 2, digest_chunk(b'1,"a\nb"\n\n')),
            ChunkSpan(1, 21, 29, 2, 2, 5, digest_chunk(b"2,c\n3,d\n")),
        ],
    )


@pytest.mark.parametrize("block_bytes", [1_000_000, 4096, 17])
@pytest.mark.parametrize("first_record", [b"", b'"a\nb\nc"\n'])
def test_a_chunk_ends_after_its_lines_when_rows_are_very_short(block_bytes: int, first_record: bytes) -> None:
    source = b"id\n" + first_record + b"x\n" * (2 * CHUNK_LINES + 10)
    finder = SourceFinder(TestLimits(chunk_bytes=10_000_000), Expected())
    blocks = [source[start : start + block_bytes] for start in range(0, len(source), block_bytes)]
    spans = [span for block in blocks for span in finder.feed(block)] + finder.finish()
    lines = [source.count(b"\n", span.byte_start, span.byte_end) for span in spans]
    assert lines == [CHUNK_LINES, CHUNK_LINES, 10 + first_record.count(b"\n")]
    assert [span.first_row for span in spans][1] == CHUNK_LINES + 1 - (2 if first_record else 0)


def test_a_header_alone_gives_no_chunks() -> None:
    assert cut_source([b"id,name"], TestLimits()) == Cut(("id", "name"), 7, [])
    assert cut_source([b"\r\n\nid,name\r\n\n\n"], TestLimits()) == Cut(("id", "name"), 12, [])


def test_the_header_is_known_as_soon_as_it_has_ended() -> None:
    finder = SourceFinder(TestLimits(), Expected(knows={"external_id", "name"}.__contains__))
    finder.feed(b'"external_id", na')
    before = (finder.header, finder.data_start, finder.rows)
    finder.feed(b"me\n1,2\n")
    after = (finder.header, finder.data_start, finder.rows)
    assert [before, after] == [((), 0, 0), (("external_id", "name"), 20, 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The file is empty: it has no header line; add one and create a new task"),
        (b"\xef\xbb\xbf\r\n\n", "The file is empty: it has no header line; add one and create a new task"),
        (
            b'a,b\n1,2\n\n3,\n4,\n5,"x\n6,y\n',
            "Row 4 (line 6): a quote that opens a field in line 6 is never closed; close it, or double it",
        ),
        (
            b'a,b\n"1\n2","x\n',
            "Row 1 (line 2): a quote that opens a field in line 3 is never closed; close it, or double it",
        ),
        (
            b'a,"b\n',
            "The header (line 1): a quote that opens a field in line 1 is never closed; close it, or double it",
        ),
        (
            b"a,b\n1,2\n" + b"x" * 41 + b"\n",
            f"Row 2 (line 3): {NO_LINE_END}",
        ),
        (
            b"x" * 41,
            f"The header (line 1): {NO_LINE_END}",
        ),
        (b"a,b,c,d\n1\n", "The header names more than 3 columns (WHARF_COLUMNS_MAX); leave some out"),
        (
            b"\x1f\x8b\x08\x00\x00",
            "The file is no CSV text: it looks like a gzip file within another compressed file; "
            "compress it once and create a new task",
        ),
        (
            b"PK\x03\x04\x14\x00\x06\x00\x08\x00",
            "The file is no CSV text: it looks like a zip or xlsx file; unpack it, or save the sheet as CSV and "
            "create a new task",
        ),
        (
            b"a,\xe9\n1,2\n",
            f"{NO_TEXT}: byte 3 of the header is not UTF-8; save it as UTF-8, or name its encoding in the options",
        ),
        (
            b"a,\xc3\n1,2\n",
            f"{NO_TEXT}: byte 3 of the header is not UTF-8; save it as UTF-8, or name its encoding in the options",
        ),
        (
            b"a\x00,\x00b\x00\n",
            f"{NO_TEXT}: its header holds a NUL byte; is it text in UTF-16, or another format?",
        ),
        (
            bytes(range(128, 200)),
            f"{NO_TEXT}: byte 1 of the header is not UTF-8; save it as UTF-8, or name its encoding in the options",
        ),
    ],
)
def test_a_source_that_cannot_be_cut_is_refused_with_what_to_do(text: bytes, message: str) -> None:
    with pytest.raises(SourceRefusedError) as refused:
        cut_source([text], TestLimits(row_max_bytes=20, columns_max=3))
    assert refused.value.message == message


def test_a_row_of_twice_the_limit_still_has_its_boundary() -> None:
    text = b"a,b\n" + b"x" * 40 + b"\n1,2\n"
    spans = cut_source([text], TestLimits(row_max_bytes=20, columns_max=3)).spans
    assert [(span.byte_start, span.byte_end, span.row_count) for span in spans] == [(4, 45, 1), (45, 49, 1)]


def test_hostile_quotes_and_white_space_are_passed_within_the_time_limit_of_a_test() -> None:
    finder = SourceFinder(TestLimits(chunk_bytes=1 << 20, row_max_bytes=1 << 22), Expected())
    lazy_quotes = [b'"x' * (1 << 15)] * 32
    many_lines = b'"a\n",' * (1 << 15)
    white_space = b",  " * (1 << 18)
    pieces = [b'a,b\n1,"', *lazy_quotes, b'"\n', many_lines, b"\n", white_space, b"\n"]
    spans = [span for piece in pieces for span in finder.feed(piece)] + finder.finish()
    assert [span.row_count for span in spans] == [1, 2]
