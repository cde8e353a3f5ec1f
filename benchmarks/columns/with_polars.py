"""A chunk by polars: one lazy plan per step, collected on one thread (POLARS_MAX_THREADS=1)."""

from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from typing import Any

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

pl: Any = import_module("polars")  # not a dependency of the project


def read(data: bytes, entity: str) -> Any:
    """The chunk as columns of text."""
    names = HEADERS[entity]
    return pl.read_csv(
        data,
        has_header=False,
        new_columns=list(names),
        infer_schema=False,
        empty_string_is_null=False,
    )


def check(table: Any, entity: str) -> Any:
    """Whether each row is clean."""
    rules = _customers() if entity == "customers" else _events()
    return table.select(pl.all_horizontal(rules).alias("clean"))["clean"]


def render(table: Any, entity: str, clean: Any) -> bytes:
    """The clean rows as COPY's CSV, with an id and the row's number."""
    number = pl.int_range(1, pl.len() + 1)
    plain = [name for name in HEADERS[entity] if not name.startswith(("metadata", "properties"))]
    ready = table.select(
        pl.concat_str(pl.lit("cust_01K3B7Q2M8T5Z9"), number.cast(pl.String).str.zfill(10)).alias("id"),
        number.alias("row"),
        *plain,
        _json(entity).alias("json"),
    ).filter(clean)
    sink = BytesIO()
    ready.write_csv(sink, include_header=False)
    return sink.getvalue()


def _customers() -> list[Any]:
    email, country = pl.col("email"), pl.col("address_country")
    is_email = email.str.contains(EMAIL) & (email.str.len_chars() <= EMAIL_CHARACTERS)
    return [
        _filled("external_id"),
        _filled("name"),
        (email == "") | is_email,
        *(_short(name, most) for name, most in LENGTHS.items()),
        _short("address_line1", KEY_CHARACTERS),
        (country == "") | country.is_in(COUNTRIES),
        ~pl.col("metadata.tier").str.contains(NOT_PLAIN),
    ]


def _events() -> list[Any]:
    return [
        _filled("event_id"),
        _filled("event_name"),
        _filled("external_customer_id"),
        pl.col("timestamp").str.contains(TIME),
        _short("source", KEY_CHARACTERS),
        ~pl.col("properties.model").str.contains(NOT_PLAIN),
        pl.col("properties").str.contains(OBJECT),
    ]


def _json(entity: str) -> Any:
    if entity == "customers":
        tier = pl.col("metadata.tier")
        return pl.when(tier == "").then(pl.lit("{}")).otherwise(pl.concat_str(pl.lit('{"tier": "'), tier, pl.lit('"}')))
    return pl.concat_str(
        pl.lit('{"model": "'), pl.col("properties.model"), pl.lit('", '), pl.col("properties").str.slice(1)
    )


def _filled(name: str) -> Any:
    length = pl.col(name).str.len_chars()
    return (length > 0) & (length <= KEY_CHARACTERS)


def _short(name: str, most: int) -> Any:
    return pl.col(name).str.len_chars() <= most


def to_rows(table: Any) -> Iterable[tuple[Any, ...]]:
    """The cells by row."""
    rows: list[tuple[Any, ...]] = table.rows()
    return rows
