"""Parquet files as JSON lines, and what becomes of hostile ones."""

import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import SourceRefusedError
from service.imports.formats.opening import check_parquet
from service.imports.formats.parquet import RangedFile, parquet_lines

DAMAGED = "The Parquet file is damaged, or of a kind that cannot be read; write it anew and create a new task"


def write(table: pa.Table, **options: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


def lines_of(data: bytes, columns_max: int = 100) -> bytes:
    return b"".join(parquet_lines(lambda start, end: data[start:end], len(data), columns_max))


def refusal(data: bytes, columns_max: int = 100) -> str:
    with pytest.raises(SourceRefusedError) as refused:
        lines_of(data, columns_max)
    return refused.value.message


@pytest.mark.parametrize("with_floats", [True, False])
def test_every_kind_of_value_has_its_json(*, with_floats: bool) -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=2)))
    table = pa.table(
        {
            "text": ['Zoë\n"x"'],
            "whole": pa.array([2**63 - 1], pa.int64()),
            "amount": pa.array([Decimal("12.3400")], pa.decimal128(38, 4)),
            "share": [0.25],
            "missing": pa.array([float("nan")]),
            "flag": [True],
            "at": pa.array([at], pa.timestamp("ns", tz="Europe/Paris")),
            "local": pa.array([datetime(2026, 3, 1, 10)], pa.timestamp("ms")),  # noqa: DTZ001  # it has no zone
            "day": [date(2026, 3, 1)],
            "raw": pa.array([b"abc"], pa.binary()),
            "word": pa.array(["x"]).dictionary_encode(),
            "list": [[1, None]],
            "properties": [{"a": 1, "at": at.astimezone(UTC)}],
            "metadata": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
            "nothing": pa.nulls(1),
        }
    )
    table = table if with_floats else table.drop_columns(["share", "missing"])
    (line,) = lines_of(write(table)).splitlines()
    assert b'"amount":12.3400,' in line
    assert {"share": 0.25, "missing": None} | json.loads(line) == {
        "text": 'Zoë\n"x"',
        "whole": 2**63 - 1,
        "amount": 12.34,
        "share": 0.25,
        "missing": None,
        "flag": True,
        "at": "2026-03-01T10:00:00.500000Z",
        "local": "2026-03-01T10:00:00Z",
        "day": "2026-03-01",
        "raw": "abc",
        "word": "x",
        "list": [1, None],
        "properties": {"a": 1, "at": "2026-03-01T10:00:00.500000Z"},
        "metadata": {"k": "v"},
        "nothing": None,
    }


def test_a_file_without_rows_is_an_import_of_nothing() -> None:
    assert lines_of(write(pa.table({"a": pa.array([], pa.string())}))) == b"[]"


def test_many_row_groups_come_in_order() -> None:
    data = write(pa.table({"a": list(range(10_000))}), row_group_size=700)
    assert [json.loads(line)["a"] for line in lines_of(data).splitlines()] == list(range(10_000))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PAR1", DAMAGED),
        (b"PAR1" + bytes(100) + b"PAR1", DAMAGED),
        (b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1", DAMAGED),
        (write(pa.table({"a": [1]}))[:-4], DAMAGED),
        (
            write(pa.table({"a": pa.array([b"\xff"], pa.binary())})),
            "The Parquet file holds binary values that are not UTF-8 text; write them as text, or leave them out",
        ),
        (
            write(pa.table({f"c{place}": [1] for place in range(101)})),
            "The Parquet file has 101 columns, the limit is 100 (WHARF_COLUMNS_MAX)",
        ),
        (
            write(pa.table({"a": ["x" * 1000] * 60_000}), compression="zstd"),
            "The Parquet file grows to more than 200 times its size; send the rows as CSV",
        ),
    ],
    ids=["magic alone", "no footer", "footer of 2 GiB", "cut", "binary", "columns", "bomb"],
)
def test_a_hostile_file_is_refused_with_what_to_do(data: bytes, message: str) -> None:
    assert refusal(data) == message


WHOLE = write(pa.table({"a": [f"text {place}" for place in range(200)], "b": [place / 7 for place in range(200)]}))


@settings(max_examples=300)
@given(place=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_byte_that_is_changed_gives_rows_or_a_refusal_and_nothing_else(place: int, byte: int) -> None:
    data = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        lines = lines_of(data)
    except SourceRefusedError:
        return
    assert all(isinstance(json.loads(line), dict | list) for line in lines.splitlines())


def test_a_ranged_file_fetches_only_what_is_read() -> None:
    asked: list[tuple[int, int]] = []

    def read_range(start: int, end: int) -> bytes:
        asked.append((start, end))
        return bytes(range(start, end))

    file = RangedFile(read_range, 100)
    file.seek(-4, io.SEEK_END)
    parts = [file.read(2), file.read(), file.read(5), file.tell()]
    assert parts == [bytes([96, 97]), bytes([98, 99]), b"", 100]
    assert asked == [(96, 98), (98, 100)]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (b"external_id,name\n", "no such"),
        (b"\x1f\x8b\x08\x00", "compressed; a Parquet file is inside already, send it as it is"),
    ],
)
def test_a_file_that_is_called_parquet_and_is_none_is_refused(start: bytes, found: str) -> None:
    with pytest.raises(SourceRefusedError) as refused:
        check_parquet(start)
    assert refused.value.message == (
        f"The file_type is PARQUET, but the file is {found}; name the file_type that it has"
    )
