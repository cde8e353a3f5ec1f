"""Rows that only the table can refuse: their key is taken, or is not there to be changed."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from schemas.row_errors import RowErrorCode, quote_value
from service.imports.columns.text import ROW
from service.imports.merge.result import Refusal


def refuse_taken(rows: pa.Table, key: str, thing: str) -> list[Refusal]:
    """The refusals of rows whose key something else has."""
    remedy = "choose another, or import with mode upsert or update"
    text = f"{key} {{}} belongs to another {thing}, perhaps of an earlier row; {remedy}"
    return _refuse(rows, key, RowErrorCode.ALREADY_EXISTS, text)


def refuse_unknown(rows: pa.Table, key: str, thing: str) -> list[Refusal]:
    """The refusals of rows that were to change something that is not there."""
    text = f"{key} {{}} belongs to no {thing}; correct it, or import with mode upsert"
    return _refuse(rows, key, RowErrorCode.NOT_FOUND, text)


def without_rows(rows: pa.Table, numbers: Collection[int]) -> pa.Table:
    """The rows of all other numbers."""
    return rows.filter(pc.invert(pc.is_in(rows.column(ROW), pa.array(list(numbers), pa.int64()))))


def _refuse(rows: pa.Table, key: str, code: RowErrorCode, text: str) -> list[Refusal]:
    listed = zip(rows.column(ROW).to_pylist(), rows.column(key).to_pylist(), strict=True)
    return [Refusal(row, key, code, value, text.format(quote_value(value))) for row, value in listed]
