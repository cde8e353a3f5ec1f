"""The cells of JSON chunks by column: parsed object by object, turned into text column by column."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from schemas.entities.row_schema import RowSchema
from schemas.json_text import DEPTH_MAX
from service.imports.columns.cells import NO_ROWS, CellTable, RowNumbers, absent
from service.imports.formats.header import effective_names
from service.imports.formats.read import Reading, split_records
from service.imports.formats.source_format import Layout

#: What some readers of JSON round, refuse or cannot store: such rows are read one by one.
_PECULIAR = r"\\u0000|[0-9]{16}|[0-9][eE][+-]?[0-9]{3}"
#: The same, found twenty times as fast where there is none: in the text with all digits 0, E e, and signs +.
_SHAPES = bytes.maketrans(b"123456789E-", b"000000000e+")
_PECULIAR_SHAPES = (b"0" * 16, b"0e000", b"0e+000")
#: The row itself is a level, too.
_BRACKETS_MAX = DEPTH_MAX - 1
#: So many objects are in memory at a time.
_SLICE_ROWS = 2000
#: So many cells, there or not, are looked at by columns: where each row has keys of its own there is no end of them.
_CELLS_MAX = 4_000_000

_ABSENT: Any = object()


def read_json_columns(chunk: bytes, reading: Reading, first_row: int, schema: RowSchema) -> CellTable:
    """The cells of the columns that the schema knows; rows that are not plain are left to others."""
    raws = _split(chunk, reading, first_row)
    slices: list[CellTable] = []
    names: dict[str, None] = {}
    for start in range(0, len(raws), _SLICE_ROWS):
        table = _read_slice(raws[start : start + _SLICE_ROWS], reading, first_row + start, schema)
        together = names | dict.fromkeys(table.cells)
        if len(together) * len(raws) > _CELLS_MAX:
            table = CellTable(NO_ROWS, {}, np.union1d(table.rows, table.others))
        else:
            names = together
        slices.append(table)
    cells = {
        name: pa.concat_arrays([table.cells.get(name, absent(len(table.rows))) for table in slices]) for name in names
    }
    rows = np.concatenate([table.rows for table in slices] or [NO_ROWS])
    return CellTable(rows, cells, np.concatenate([table.others for table in slices] or [NO_ROWS]))


def _split(chunk: bytes, reading: Reading, first_row: int) -> list[bytes]:
    """The bytes of each row."""
    if reading.format.layout is Layout.NDJSON:
        return [line for line in chunk.split(b"\n") if line and line != b"\r"]
    return [record.raw for record in split_records(chunk, reading.format, first_row, 1)]


def _read_slice(raws: list[bytes], reading: Reading, first_row: int, schema: RowSchema) -> CellTable:
    objects, numbers, others = _parse_plain(raws, reading, first_row)
    keys = tuple(set().union(*objects))
    if len(keys) * len(objects) > _CELLS_MAX:
        return CellTable(NO_ROWS, {}, np.union1d(numbers, others))
    cells: dict[str, pa.StringArray] = {}
    is_plain = np.ones(len(numbers), bool)
    for name, values in zip(effective_names(keys, reading.mapping), _values_by_key(objects, keys), strict=True):
        if schema.knows(name):
            texts, peculiar = _texts(values, schema, name)
            cells[name] = pa.array(texts, pa.string())
        else:
            peculiar = [place for place, value in enumerate(values) if _is_deep(value)]
        is_plain[peculiar] = False
    if is_plain.all():
        return CellTable(numbers, cells, others)
    mask = pa.array(is_plain)
    kept = {name: column.filter(mask) for name, column in cells.items()}
    return CellTable(numbers[is_plain], kept, np.union1d(others, numbers[~is_plain]))


def _values_by_key(objects: list[dict[str, Any]], keys: tuple[str, ...]) -> Iterable[Sequence[Any]]:
    """The values of all objects for each key; in most files every object has all keys."""
    if len(keys) > 1:
        with suppress(KeyError):
            return list(zip(*map(itemgetter(*keys), objects), strict=True))
    return [[given.get(key, _ABSENT) for given in objects] for key in keys]


def _parse_plain(
    raws: list[bytes], reading: Reading, first_row: int
) -> tuple[list[dict[str, Any]], RowNumbers, RowNumbers]:
    """The objects of the plain records, their row numbers, and the numbers of the other rows."""
    limit = min(reading.limits.field_max_bytes, reading.limits.row_max_bytes)
    numbers = np.arange(first_row, first_row + len(raws))
    if not _may_be_odd(raws, limit):
        with suppress(orjson.JSONDecodeError):
            objects = list(map(orjson.loads, raws))
            if set(map(type, objects)) == {dict}:
                return objects, numbers, NO_ROWS
    texts = pa.array(raws, pa.binary())
    is_odd = pc.or_(pc.match_substring_regex(texts, _PECULIAR), pc.greater(pc.binary_length(texts), limit))
    given = [None if odd else _parse_object(raw) for raw, odd in zip(raws, is_odd.to_pylist(), strict=True)]
    is_plain = np.fromiter((value is not None for value in given), bool, len(given))
    return [value for value in given if value is not None], numbers[is_plain], numbers[~is_plain]


def _may_be_odd(raws: list[bytes], limit: int) -> bool:
    """Whether one of the records may be peculiar or too long."""
    together = b"\n".join(raws)
    if max(map(len, raws), default=0) > limit or b"\\u0000" in together:
        return True
    shapes = together.translate(_SHAPES)
    return any(shape in shapes for shape in _PECULIAR_SHAPES)


def _parse_object(raw: bytes) -> dict[str, Any] | None:
    """The object of a record; None for what is none."""
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return given if isinstance(given, dict) else None


def _is_deep(value: Any) -> bool:
    """Whether a value that nobody asked for may be nested deeper than a row may be."""
    if not isinstance(value, dict | list):
        return False
    text = orjson.dumps(value)
    return text.count(b"{") + text.count(b"[") > _BRACKETS_MAX


def _texts(values: Sequence[Any], schema: RowSchema, name: str) -> tuple[Sequence[str | None], list[int]]:
    """The values as cells, None for absent ones and "" for null, and the places of those that are no plain text."""
    kinds = set(map(type, values))
    is_key, is_object = name not in schema.fields, schema.is_object(name)
    if kinds == {str}:
        return values, []
    if kinds == {dict} and is_object:
        return [orjson.dumps(value).decode() for value in values], []
    texts: list[str | None] = []
    peculiar: list[int] = []
    for place, value in enumerate(values):
        kind = type(value)
        text = None
        if kind is str:
            text = value
        elif kind is dict and is_object:
            text = orjson.dumps(value).decode()
        elif kind is int and not (is_key or is_object):
            text = str(value)
        elif value is None and not is_key:
            text = ""
        elif value is not _ABSENT:
            # One key of an object keeps its kind; the rest is wrong, or a number to be read exactly.
            peculiar.append(place)
        texts.append(text)
    return texts, peculiar
