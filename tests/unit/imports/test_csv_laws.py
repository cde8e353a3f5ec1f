"""Laws of the CSV engine: however a source is cut, its rows are those of the slow reader."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from schemas.row_errors import RowError, RowErrorCode
from service.errors import SourceRefusedError
from service.imports.formats.boundaries import digest_chunk
from service.imports.formats.detect import Expected
from service.imports.formats.limits import Limits
from service.imports.formats.read import Row
from service.imports.formats.records import SAVE_AS_UTF8
from tests.unit.imports.csv_parts import Cut, TestLimits, cut_source, read_source, split_at
from tests.unit.imports.slow_reader import SlowRecord, UnclosedQuoteError, read_slowly

HEADER = b"first,second\n"
NAMES = ("first", "second")

#: Pieces in which every turn of the dialect is likely.
FRAGMENTS = st.sampled_from(
    [b'"', b'"', b'""', b",", b"\n", b"\r\n", b"\r", b" ", b"\t\v\f", b"a", b"bc", "é".encode(), b"\xff", b"\0"]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map(b"".join) | st.binary(max_size=60)
PLACES = st.lists(st.integers(0, 200), max_size=8)
CHUNK_BYTES = st.integers(1, 40)


@given(body=TEXTS, places=PLACES, chunk_bytes=CHUNK_BYTES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "]", "\x1f"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_rows_of_any_bytes_are_those_of_the_slow_reader(
    delimiter: str, quote: str, body: bytes, places: list[int], chunk_bytes: int
) -> None:
    given_bytes = (HEADER + body).translate(bytes.maketrans(b',"', (delimiter + quote).encode()))
    text = given_bytes if delimiter != "\t" else given_bytes.replace(b" ", b"\v")
    try:
        records = read_slowly(text, delimiter.encode(), quote.encode())[1:]
    except UnclosedQuoteError:
        reject()
    expected = [_expect(number, record) for number, record in enumerate(records, 1)]
    dialect = Expected(delimiter=delimiter, quote=quote)
    assert read_source(text, TestLimits(chunk_bytes), split_at(text, places), dialect) == expected


@given(rows=st.lists(st.tuples(*[st.text("ab,;|\t'\" \n", max_size=5)] * 2), max_size=4), places=PLACES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_dialect_of_any_file_that_cpython_wrote_is_found(
    delimiter: str, quote: str, rows: list[tuple[str, str]], places: list[int]
) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL).writerows([NAMES, *rows])
    text = target.getvalue().encode()
    read = read_source(text, TestLimits(), split_at(text, places), Expected(knows=NAMES.__contains__))
    assert [row.cells for row in read if isinstance(row, Row)] == [dict(zip(NAMES, row, strict=True)) for row in rows]


@given(text=TEXTS, places=PLACES, chunk_bytes=CHUNK_BYTES, row_max_bytes=st.sampled_from([1, 3, 8, 1000]))
def test_blocks_make_no_difference(text: bytes, places: list[int], chunk_bytes: int, row_max_bytes: int) -> None:
    limits = TestLimits(chunk_bytes, row_max_bytes)
    at_once = _cut_or_refuse([text], limits)
    assert _cut_or_refuse(split_at(text, places), limits) == at_once
    assert _cut_or_refuse([text[place : place + 1] for place in range(len(text))], limits) == at_once


@given(body=TEXTS)
def test_a_source_is_refused_for_an_open_quote_exactly_when_the_slow_reader_finds_one(body: bytes) -> None:
    try:
        read_slowly(HEADER + body)
        is_closed = True
    except UnclosedQuoteError:
        is_closed = False
    assert isinstance(_cut_or_refuse([HEADER + body], TestLimits()), Cut) is is_closed


@given(body=TEXTS, places=PLACES, chunk_bytes=CHUNK_BYTES)
def test_chunks_follow_each_other_and_leave_out_nothing_but_blank_lines(
    body: bytes, places: list[int], chunk_bytes: int
) -> None:
    text = HEADER + body
    cut = _cut_or_refuse(split_at(text, places), TestLimits(chunk_bytes))
    assume(isinstance(cut, Cut))
    assert isinstance(cut, Cut)
    borders = [
        cut.data_start,
        *(border for span in cut.spans for border in (span.byte_start, span.byte_end)),
        len(text),
    ]
    gaps = [text[start:end] for start, end in list(pairwise(borders))[::2]]
    assert [gap.strip(b"\r\n") for gap in gaps] == [b""] * (len(cut.spans) + 1)
    assert [span.number for span in cut.spans] == list(range(len(cut.spans)))
    assert all(span.row_count for span in cut.spans)
    assert [span.first_row for span in cut.spans] == [
        1 + sum(span.row_count for span in cut.spans[:number]) for number in range(len(cut.spans))
    ]
    assert [span.checksum for span in cut.spans] == [
        digest_chunk(text[span.byte_start : span.byte_end]) for span in cut.spans
    ]
    assert all(span.byte_end - span.byte_start >= chunk_bytes for span in cut.spans[:-1])


@given(text=st.text('ab,"\n ', max_size=30) | st.lists(st.sampled_from(["a", '"', ",", "\r\n", " "])).map("".join))
def test_what_the_strict_reader_of_cpython_accepts_is_read_the_same(text: str) -> None:
    source = io.StringIO(text, newline="")
    try:
        expected = [cells for cells in csv.reader(source, skipinitialspace=True, strict=True) if cells]
    except csv.Error:
        reject()
    records = read_slowly(text.encode())
    assert [[cell.decode() for cell in record.cells] for record in records] == expected


@given(
    rows=st.lists(st.tuples(*[st.text(st.characters(exclude_characters="\0", codec="utf-8"))] * 2)),
    ending=st.sampled_from(["\n", "\r\n"]),
    places=PLACES,
)
def test_what_the_writer_of_cpython_quotes_is_read_back(
    rows: list[tuple[str, str]], ending: str, places: list[int]
) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows([NAMES, *rows])
    text = target.getvalue().encode()
    read = read_source(text, TestLimits(), split_at(text, places))
    assert [row.cells for row in read if isinstance(row, Row)] == [dict(zip(NAMES, row, strict=True)) for row in rows]


def _cut_or_refuse(blocks: list[bytes], limits: Limits) -> Cut | str:
    try:
        return cut_source(blocks, limits)
    except SourceRefusedError as refused:
        return refused.message


def _expect(number: int, record: SlowRecord) -> Row | RowError:
    cells: dict[str, str] = {}
    for name, cell in zip(NAMES, record.cells, strict=False):
        shown = cell.decode(errors="replace").replace("\0", "\ufffd")
        if b"\0" in cell:
            message = f"{name} holds a NUL byte; take it out"
            return RowError(number, record.line, name, RowErrorCode.NUL_BYTE, shown, message)
        try:
            cells[name] = cell.decode()
        except UnicodeDecodeError as error:
            message = f"{name} is not UTF-8 text from its byte {error.start + 1} on; {SAVE_AS_UTF8}"
            return RowError(number, record.line, name, RowErrorCode.INVALID_UTF8, shown, message)
    return Row(number, record.line, cells)
