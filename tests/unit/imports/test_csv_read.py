"""What the reader makes of records, one construct at a time."""

import pytest

from schemas.row_errors import RowError, RowErrorCode
from service.errors import SourceRefusedError
from service.imports.formats.dialect import make_dialect
from service.imports.formats.read import Reading, Row, read_rows
from service.imports.formats.records import SAVE_AS_UTF8
from service.imports.formats.source_format import SourceFormat
from tests.unit.imports.csv_parts import TestLimits, read_source


@pytest.mark.parametrize(
    ("record", "cells"),
    [
        (b"a,b", [b"a", b"b"]),
        (b",", [b"", b""]),
        (b" \t\v\fa \t, b ", [b"a \t", b"b "]),
        (b' "a" ,b",c', [b'a" ,b', b"c"]),
        (b' "a","b"', [b"a", b"b"]),
        (b'"a,b","c\r\nd"', [b"a,b", b"c\r\nd"]),
        (b'"say ""hi""",""', [b'say "hi"', b""]),
        (b'"a"b","c"', [b'a"b', b"c"]),
        (b'"a\r"\rb",c', [b'a\r"\rb', b"c"]),
        (b'a"b,"c"', [b'a"b', b"c"]),
        (b'5" pipe,x', [b'5" pipe', b"x"]),
        (b"a\rb,c\r", [b"a\rb", b"c\r"]),
        ("\u00a0a,\u2003b".encode(), ["\u00a0a".encode(), "\u2003b".encode()]),
        (b'"",', [b"", b""]),
        (b',"",', [b"", b"", b""]),
    ],
)
def test_a_record_is_split_as_the_dialect_says(record: bytes, cells: list[bytes]) -> None:
    # A closing quote is told by what follows it, so `record` stands before a line end.
    text = b"a,b,c\n" + record + b"\n,\n"
    (row, _) = read_source(text, TestLimits())
    assert isinstance(row, Row)
    ending_cut = [*cells[:-1], cells[-1].removesuffix(b"\r")]
    assert [cell.encode() for cell in row.cells.values()] == ending_cut


def test_no_more_cells_are_split_than_there_are_columns() -> None:
    assert make_dialect().split_cells(b"a,b,c,d", 2) == [b"a", b"b"]
    assert make_dialect().split_cells(b'"a","b","c"', 2) == [b"a", b"b"]


def test_rows_are_numbered_without_blank_lines_and_lines_with_them() -> None:
    text = b'a,b\n\n1,"x\ny"\n\r\n,\n  \n2\n3,4,5'
    assert read_source(text, TestLimits(chunk_bytes=1)) == [
        Row(1, 3, {"a": "1", "b": "x\ny"}),
        Row(2, 6, {"a": "", "b": ""}),
        Row(3, 7, {"a": ""}),
        Row(4, 8, {"a": "2"}),
        Row(5, 9, {"a": "3", "b": "4"}),
    ]


def test_of_columns_with_one_name_the_last_counts_even_where_it_is_missing() -> None:
    reading = Reading(SourceFormat(), TestLimits(), ("a", "b", "a"))
    rows = list(read_rows(b"1,2,3\n4,5\n", reading, 1, 2))
    assert [row.cells.get("a") for row in rows if isinstance(row, Row)] == ["3", None]


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (
            b"1,\xff",
            RowError(
                1, 2, "b", RowErrorCode.INVALID_UTF8, "\ufffd",
                f"b is not UTF-8 text from its byte 1 on; {SAVE_AS_UTF8}",
            ),
        ),
        (b"1,x\0", RowError(1, 2, "b", RowErrorCode.NUL_BYTE, "x\ufffd", "b holds a NUL byte; take it out")),
        (
            "1,ééé".encode(),
            RowError(
                1, 2, "b", RowErrorCode.FIELD_TOO_LONG, "ééé",
                "b is 6 bytes long, the limit is 5 (WHARF_FIELD_MAX_BYTES)",
            ),
        ),
        (
            b"123,456,789",
            RowError(
                1, 2, "", RowErrorCode.ROW_TOO_LONG, None,
                "the row is 11 bytes long, the limit is 10 (WHARF_ROW_MAX_BYTES)",
            ),
        ),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_an_error_of_its_own(record: bytes, error: RowError) -> None:
    text = b"a,b\n" + record + b"\n1,2\n"
    limits = TestLimits(row_max_bytes=10, field_max_bytes=5)
    assert read_source(text, limits) == [error, Row(2, 3, {"a": "1", "b": "2"})]


def test_extra_cells_are_not_looked_at() -> None:
    assert read_source(b"a\n1,\xff\0\n", TestLimits()) == [Row(1, 2, {"a": "1"})]


def test_a_quote_that_the_chunk_does_not_close_is_refused() -> None:
    with pytest.raises(SourceRefusedError) as refused:
        list(read_rows(b'1\n"2\n', Reading(SourceFormat(), TestLimits(), ("a",)), 1, 7))
    assert refused.value.message == "The record that starts in line 8 has a quote that is never closed"
