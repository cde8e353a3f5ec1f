"""Laws of the JSON engine: however a source is cut, its rows are those of the slow reader and of CPython's json."""

import json
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.row_errors import RowError
from schemas.vocabulary import FileType
from service.errors import SourceRefusedError
from service.imports.formats.boundaries import digest_chunk
from service.imports.formats.detect import Expected
from service.imports.formats.read import Record, Row, pick_records, split_records
from service.imports.formats.source_format import Layout
from tests.unit.imports.csv_parts import Cut, TestLimits, cut_source, read_source, split_at
from tests.unit.imports.slow_json import NoArrayError, SlowValue, read_array_slowly

JSON = Expected(FileType.JSON)

FRAGMENTS = st.sampled_from(
    [b'"', b'"', b"\\", b"\\\\", b"[", b"]", b"{", b"}", b",", b",", b":", b" ", b"\n", b"\r\n", b"a", b"1", b"\xff"]
)
INSIDES = st.lists(FRAGMENTS, max_size=40).map(b"".join) | st.binary(max_size=60)
PLACES = st.lists(st.integers(0, 200), max_size=8)
CHUNK_BYTES = st.integers(1, 40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=4), max_size=8)


@given(inside=INSIDES, places=PLACES, chunk_bytes=CHUNK_BYTES)
def test_the_records_of_any_array_are_those_of_the_slow_reader(
    inside: bytes, places: list[int], chunk_bytes: int
) -> None:
    text = b"[" + inside + b"]"
    try:
        expected: list[SlowValue] | None = read_array_slowly(text)
    except NoArrayError:
        expected = None
    cut = _cut_or_refuse(split_at(text, places), TestLimits(chunk_bytes))
    if isinstance(cut, str):
        assert expected is None
        return
    assert expected is not None
    assert _records(text, cut) == [Record(number, value.line, value.raw) for number, value in enumerate(expected, 1)]


@given(text=INSIDES, places=PLACES, chunk_bytes=CHUNK_BYTES, row_max_bytes=st.sampled_from([1, 3, 8, 1000]))
@pytest.mark.parametrize("opening", [b"[", b"{", b" \n[ ", b"\xef\xbb\xbf["])
def test_blocks_make_no_difference(
    opening: bytes, text: bytes, places: list[int], chunk_bytes: int, row_max_bytes: int
) -> None:
    text = opening + text
    limits = TestLimits(chunk_bytes, row_max_bytes)
    at_once = _cut_or_refuse([text], limits)
    assert _cut_or_refuse(split_at(text, places), limits) == at_once
    assert _cut_or_refuse([text[place : place + 1] for place in range(len(text))], limits) == at_once


@given(inside=INSIDES, places=PLACES, chunk_bytes=CHUNK_BYTES)
def test_chunks_of_an_array_follow_each_other_with_a_comma_between(
    inside: bytes, places: list[int], chunk_bytes: int
) -> None:
    text = b"[" + inside + b"]"
    cut = _cut_or_refuse(split_at(text, places), TestLimits(chunk_bytes))
    assume(isinstance(cut, Cut))
    assert isinstance(cut, Cut)
    assert {text[one.byte_end : two.byte_start] for one, two in pairwise(cut.spans)} <= {b","}
    assert [span.number for span in cut.spans] == list(range(len(cut.spans)))
    assert [span.first_row for span in cut.spans] == [
        1 + sum(span.row_count for span in cut.spans[:number]) for number in range(len(cut.spans))
    ]
    assert [span.checksum for span in cut.spans] == [
        digest_chunk(text[span.byte_start : span.byte_end]) for span in cut.spans
    ]
    assert all(span.byte_end - span.byte_start >= chunk_bytes for span in cut.spans[:-1])


@given(
    rows=OBJECTS, places=PLACES, chunk_bytes=CHUNK_BYTES, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans()
)
def test_what_cpython_writes_as_an_array_is_read_back(
    rows: list[dict[str, object]], places: list[int], chunk_bytes: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    read = read_source(text, TestLimits(chunk_bytes), split_at(text, places), JSON)
    assert _cells(read) == [_storable(row) for row in rows]


@given(rows=OBJECTS, places=PLACES, chunk_bytes=CHUNK_BYTES, ending=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_what_cpython_writes_as_lines_is_read_back(
    rows: list[dict[str, object]], places: list[int], chunk_bytes: int, ending: str
) -> None:
    assume(rows)
    text = "".join(json.dumps(row) + ending for row in rows).encode()
    read = read_source(text, TestLimits(chunk_bytes), split_at(text, places), JSON)
    assert _cells(read) == [_storable(row) for row in rows]
    assert [row.line for row in read] == [1 + place * ending.count("\n") for place in range(len(rows))]


@given(lines=st.lists(INSIDES.map(lambda text: text.replace(b"\n", b"")), max_size=8), places=PLACES)
def test_lines_are_rows_exactly_when_cpython_reads_an_object(lines: list[bytes], places: list[int]) -> None:
    text = b"\n".join([b'{"a":1}', *lines])
    read = read_source(text, TestLimits(), split_at(text, places), JSON)
    kept = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    assert [isinstance(row, Row) for row in read] == [_is_object(line) for line in kept if line]


@given(inside=INSIDES, wanted=st.sets(st.integers(1, 12)))
@pytest.mark.parametrize("expected", [JSON, Expected()])
def test_picked_records_are_those_of_their_numbers(expected: Expected, inside: bytes, wanted: set[int]) -> None:
    text = b"[" + inside + b"]" if expected is JSON else b"a,b\n" + inside
    cut = _cut_or_refuse([text], TestLimits(10_000), expected)
    assume(isinstance(cut, Cut))
    assert isinstance(cut, Cut)
    for span in cut.spans:
        chunk = text[span.byte_start : span.byte_end]
        records = list(split_records(chunk, cut.format, span.first_row, span.first_line))
        picked = pick_records(chunk, cut.format, span.first_row, span.first_line, sorted(wanted))
        assert picked == [record for record in records if record.number in wanted]


def _records(text: bytes, cut: Cut) -> list[Record]:
    assert cut.format.layout is Layout.JSON
    return [
        record
        for span in cut.spans
        for record in split_records(text[span.byte_start : span.byte_end], cut.format, span.first_row, span.first_line)
    ]


def _cut_or_refuse(blocks: list[bytes], limits: TestLimits, expected: Expected = JSON) -> Cut | str:
    try:
        return cut_source(blocks, limits, expected)
    except SourceRefusedError as refused:
        return refused.message


def _cells(read: list[Row | RowError]) -> list[dict[str, object] | None]:
    return [row.cells if isinstance(row, Row) else None for row in read]


def _storable(row: dict[str, object]) -> dict[str, object] | None:
    r"""None for a row that is refused: `\u0000` cannot be stored; a key of no name is left out."""
    return None if "\\u0000" in json.dumps({k: v for k, v in row.items() if k}) else {k: v for k, v in row.items() if k}


def _is_object(line: bytes) -> bool:
    try:
        value = json.loads(line.decode(), parse_float=Decimal)
    except ValueError:
        return False
    return isinstance(value, dict) and "\0" not in str(value)
