"""A chunk by pyarrow: each cell stays a slice of one buffer, each rule is one kernel over a column."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.columns.data import HEADERS
from benchmarks.columns.rules import (
    COUNTRIES,
    EMAIL,
    EMAIL_CHARACTERS,
    KEY_CHARACTERS,
    LENGTHS,
    NOT_PLAIN,
    OBJECT,
    TIME,
)

_COUNTRIES = pa.array(COUNTRIES)


def read(data: bytes, entity: str) -> pa.Table:
    """The chunk as columns of text; records that are too short or too long are left out, and known by number."""
    names = HEADERS[entity]
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda _row: "skip"),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )


def check(table: pa.Table, entity: str) -> pa.Array:
    """Whether each row is clean."""
    rules = _customers(table) if entity == "customers" else _events(table)
    clean = rules[0]
    for rule in rules[1:]:
        clean = pc.and_(clean, rule)
    return clean


def render(table: pa.Table, entity: str, clean: pa.Array) -> bytes:
    """The clean rows as COPY's CSV, with an id and the row's number."""
    numbers = pa.array(range(1, len(table) + 1))
    ids = pc.binary_join_element_wise(
        "cust_01K3B7Q2M8T5Z9", pc.utf8_lpad(numbers.cast(pa.string()), 10, padding="0"), ""
    )
    names = HEADERS[entity]
    columns = {name: table[name] for name in names if not name.startswith(("metadata", "properties"))}
    columns["json"] = _json(table, entity)
    ready = pa.table({"id": ids, "row": numbers, **columns}).filter(clean)
    sink = BytesIO()
    csv.write_csv(ready, sink, csv.WriteOptions(include_header=False, batch_size=len(ready) or 1))
    return sink.getvalue()


def _customers(table: pa.Table) -> list[Any]:
    email = table["email"]
    is_email = pc.and_(pc.match_substring_regex(email, EMAIL), pc.less_equal(pc.utf8_length(email), EMAIL_CHARACTERS))
    country = table["address_country"]
    return [
        _filled(table["external_id"]),
        _filled(table["name"]),
        pc.or_(pc.equal(email, ""), is_email),
        *(_short(table[name], most) for name, most in LENGTHS.items()),
        _short(table["address_line1"], KEY_CHARACTERS),
        pc.or_(pc.equal(country, ""), pc.is_in(country, _COUNTRIES)),
        pc.invert(pc.match_substring_regex(table["metadata.tier"], NOT_PLAIN)),
    ]


def _events(table: pa.Table) -> list[Any]:
    return [
        _filled(table["event_id"]),
        _filled(table["event_name"]),
        _filled(table["external_customer_id"]),
        pc.match_substring_regex(table["timestamp"], TIME),
        _short(table["source"], KEY_CHARACTERS),
        pc.invert(pc.match_substring_regex(table["properties.model"], NOT_PLAIN)),
        pc.match_substring_regex(table["properties"], OBJECT),
    ]


def _json(table: pa.Table, entity: str) -> pa.Array:
    if entity == "customers":
        tier = table["metadata.tier"]
        return pc.if_else(pc.equal(tier, ""), "{}", pc.binary_join_element_wise('{"tier": "', tier, '"}', ""))
    inner = pc.utf8_slice_codeunits(table["properties"], 1)
    return pc.binary_join_element_wise('{"model": "', table["properties.model"], '", ', inner, "")


def _filled(column: pa.Array) -> pa.Array:
    length = pc.utf8_length(column)
    return pc.and_(pc.greater(length, 0), pc.less_equal(length, KEY_CHARACTERS))


def _short(column: pa.Array, most: int) -> pa.Array:
    return pc.less_equal(pc.utf8_length(column), most)


def to_rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    """The cells by row."""
    return [tuple(row.values()) for row in table.to_pylist()]
