"""A row schema compiled: which rows of a cell table are clean, and the values that they load to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from marshmallow import fields

from schemas.entities.json_columns import JsonObject
from schemas.entities.row_schema import RowSchema
from service.imports.columns.cells import CellTable, absent, is_filled, without_blanks
from service.imports.columns.kinds import all_of, find_clean_cells
from service.imports.columns.rules import find_holds, find_obeyed

Columns = Mapping[str, pa.StringArray]

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


@dataclass(frozen=True, slots=True)
class Judged:
    """Where rows are clean, and for all rows the values that clean ones have: text for each column, null for none.

    `filled` are the cells that the values were made of, null where blank, and `clean_cells` says of each column by
    itself where it is clean.
    """

    clean: pa.BooleanArray
    values: Columns
    filled: Columns
    clean_cells: Mapping[str, pa.BooleanArray]


def judge_cells(schema: RowSchema, table: CellTable) -> Judged:
    """Judge the rows of a table by an entity's row schema."""
    filled = _filled_cells(schema, table)
    clean_cells: dict[str, pa.BooleanArray] = {}
    values: dict[str, pa.StringArray] = {}
    for name, column in schema.fields.items():
        if isinstance(column, JsonObject):
            clean_cells[name] = _is_clean_object(column, table.cells, filled[name])
            values[name] = _object_texts(column, table.cells, filled[name])
        else:
            clean_cells[name] = _is_clean(schema, name, column, filled[name])
            values[name] = _with_default(schema, column, filled[name])
    obeyed = [find_obeyed(rule, values) for rule in schema.rules if schema.applies(rule)]
    clean = all_of([*clean_cells.values(), *obeyed], len(table.rows))
    return Judged(clean, values, filled, clean_cells)


def _filled_cells(schema: RowSchema, table: CellTable) -> dict[str, pa.StringArray]:
    """The cells of each column of the schema under its own name; null where blank, absent or to be ignored."""
    length = len(table.rows)
    own = {name: without_blanks(cells) for name, cells in table.cells.items()}
    filled = {name: own.get(name, absent(length)) for name in schema.fields}
    for alias, name in schema.aliases.items():
        if alias in own:
            filled[name] = pc.coalesce(filled[name], own[alias])
    for ignored in schema.ignored:
        holds = find_holds(ignored.when, filled)
        for name in ignored.columns:
            filled[name] = pc.if_else(holds, pa.scalar(None, pa.string()), filled[name])
    return filled


def _is_clean(schema: RowSchema, name: str, column: fields.Field[Any], cells: pa.StringArray) -> pa.BooleanArray:
    if cells.null_count == len(cells):
        is_needed = schema.needs(name) or name in schema.derived
        return pa.repeat(pa.scalar(not is_needed), len(cells))
    clean = find_clean_cells(column, cells)
    if schema.needs(name) or name in schema.derived:
        return pc.and_(pc.is_valid(cells), clean)
    return pc.or_kleene(pc.is_null(cells), clean)


def _with_default(schema: RowSchema, column: fields.Field[Any], cells: pa.StringArray) -> pa.StringArray:
    """The values of clean cells; None is marshmallow's word for nothing here, and a change has no defaults."""
    if schema.partial or column.required or column.load_default is None:
        return cells
    return pc.fill_null(cells, str(column.load_default))


def _is_clean_object(column: JsonObject, cells: Columns, text: pa.StringArray) -> pa.BooleanArray:
    conditions = [pc.or_kleene(pc.is_null(text), find_clean_cells(column, text))]
    conditions += [
        pc.fill_null(pc.invert(pc.match_substring_regex(by_key, _NEEDS_ESCAPE)), fill_value=True)
        for _, by_key in _keys(column, cells)
    ]
    return all_of(conditions, len(text))


def _object_texts(column: JsonObject, cells: Columns, text: pa.StringArray) -> pa.StringArray:
    """The JSON text of each row's object: its keys' columns, then the JSON column, whose keys count last."""
    pairs = [_pairs(column, key, by_key) for key, by_key in _keys(column, cells)]
    if not pairs:
        return text
    inner = pc.fill_null(pc.utf8_slice_codeunits(text, 1, -1), "")
    joined = pc.binary_join_element_wise(*pairs, inner, "")
    whole = pc.binary_join_element_wise("{", pc.ascii_rtrim(joined, ","), "}", "")
    is_given = pc.or_(pc.is_valid(text), pc.not_equal(joined, ""))
    return pc.if_else(is_given, whole, pa.scalar(None, pa.string()))


def _keys(column: JsonObject, cells: Columns) -> list[tuple[str, pa.StringArray]]:
    """The columns that hold one key each."""
    prefix = column.prefix
    return [(name[len(prefix) :], by_key) for name, by_key in cells.items() if name.startswith(prefix)]


def _pairs(column: JsonObject, key: str, cells: pa.StringArray) -> pa.StringArray:
    """`"key":"cell",` where there is a cell, else ""."""
    pairs = pc.binary_join_element_wise(json.dumps(key, ensure_ascii=False) + ':"', cells, '",', "")
    is_given = pc.is_valid(cells) if column.keep_blank else is_filled(cells)
    return pc.if_else(is_given, pairs, "")
