"""Loaded rows as a table of text: what PostgreSQL is told of each cell, null for nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.entities.row_schema import RowSchema
from service.imports.columns.cells import CellTable

ROW = "row"
#: The columns whose value a blank cell takes away, as PostgreSQL writes an array; only where blanks clear.
CLEARED = "cleared"


def make_table(rows: Iterable[tuple[int, Mapping[str, Any]]], columns: Sequence[str]) -> pa.Table:
    """Row numbers and values as a table: `row`, then these columns as text."""
    listed = list(rows)
    arrays = [pa.array([number for number, _ in listed], pa.int64())]
    arrays += [pa.array([to_text(values.get(name)) for _, values in listed], pa.string()) for name in columns]
    return pa.table(arrays, names=[ROW, *columns])


def to_text(value: Any) -> str | None:
    """A value as PostgreSQL reads it."""
    match value:
        case None | str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case frozenset():
            return "{" + ",".join(sorted(value)) + "}"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def clearable(schema: RowSchema) -> list[str]:
    """The columns whose value can be taken away by a blank cell."""
    return [name for name in schema.fields if not (schema.fields[name].required or schema.is_object(name))
            and name != schema.key]  # fmt: skip


def find_cleared(schema: RowSchema, cells: Mapping[str, Any]) -> frozenset[str]:
    """The columns of one row whose value its blank cells take away."""
    return frozenset(name for name in clearable(schema) if name in cells and (cells[name] is None or cells[name] == ""))


def cleared_texts(schema: RowSchema, table: CellTable) -> pa.StringArray:
    """The same for all rows of a cell table, as the texts of arrays."""
    nothing = pa.repeat("", len(table.rows))
    names = [pc.if_else(pc.fill_null(pc.equal(table.cells[name], ""), fill_value=False), name + ",", "")
             for name in sorted(clearable(schema)) if name in table.cells]  # fmt: skip
    joined = pc.binary_join_element_wise(nothing, *names, nothing, "")
    return pc.binary_join_element_wise("{", pc.ascii_rtrim(joined, ","), "}", "")
