"""Several rows of one key as the one row that they amount to when applied in file order."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from service.imports.columns.text import CLEARED, ROW, make_table

_OBJECTS = ("metadata",)


@dataclass(slots=True)
class FoldedRow:
    """The sum of the rows of one key; `row` is the last one's number."""

    row: int
    values: dict[str, Any]


def fold_rows(
    rows: Iterable[tuple[int, str, Mapping[str, Any]]],
    fixed: frozenset[str] = frozenset(),
) -> list[FoldedRow]:
    """Fold (row number, key, values) given in file order, one result a key.

    A later value replaces an earlier one, None keeps it unless its column is named in `cleared`,
    `metadata` merges key by key, and the columns in `fixed` keep the first row's value.
    """
    folded: dict[str, FoldedRow] = {}
    for number, key, values in rows:
        before = folded.get(key)
        if before is None:
            folded[key] = FoldedRow(number, dict(values))
        else:
            _apply(before, number, values, fixed)
    return list(folded.values())


def fold_table(table: pa.Table, key: str, fixed: frozenset[str] = frozenset()) -> pa.Table:
    """One row for each key of a table whose rows are in file order; rows without a key stay as they are."""
    repeated = find_repeated(table, key)
    if not repeated.any():
        return table
    folded = fold_rows(((row[ROW], row[key], row) for row in to_rows(table.filter(pa.array(repeated)))), fixed)
    return pa.concat_tables([table.filter(pa.array(~repeated)), to_table(folded, table.column_names[1:])])


def split_repeats(table: pa.Table, key: str) -> tuple[pa.Table, pa.Table]:
    """The first row of each key, with those that have none, and the later rows of keys."""
    times = _count_earlier(table, key)
    return table.filter(pa.array(times == 0)), table.filter(pa.array(times > 0))


def split_rounds(table: pa.Table, key: str) -> Iterable[pa.Table]:
    """Tables of distinct keys that, one after the other, hold the rows of each key in their order."""
    times = _count_earlier(table, key)
    return (table.filter(pa.array(times == time)) for time in range(times.max(initial=-1) + 1))


def find_repeated(table: pa.Table, key: str) -> npt.NDArray[np.bool_]:
    """Which rows have a key that other rows have, too."""
    codes = pc.fill_null(table.column(key).combine_chunks().dictionary_encode().indices, -1).to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=1)
    repeated: npt.NDArray[np.bool_] = (codes >= 0) & (counts[np.maximum(codes, 0)] > 1)
    return repeated


def _count_earlier(table: pa.Table, key: str) -> npt.NDArray[np.int64]:
    """How many rows before each have its key."""
    times = np.zeros(table.num_rows, np.int64)
    repeated = np.flatnonzero(find_repeated(table, key))
    seen: Counter[str] = Counter()
    for place, value in zip(repeated, table.column(key).take(pa.array(repeated)).to_pylist(), strict=True):
        times[place] = seen[value]
        seen[value] += 1
    return times


def to_rows(table: pa.Table) -> Iterable[dict[str, Any]]:
    """The rows of a table of text as values that can be folded: objects as objects, `cleared` as a set."""
    for row in table.to_pylist():
        for name in _OBJECTS:
            if row.get(name) is not None:
                row[name] = json.loads(row[name])
        if CLEARED in row:
            row[CLEARED] = frozenset(filter(None, row[CLEARED].strip("{}").split(",")))
        yield row


def to_table(folded: Iterable[FoldedRow], columns: list[str]) -> pa.Table:
    """Folded rows as a table again."""
    return make_table(((row.row, row.values) for row in folded), columns)


def _apply(before: FoldedRow, number: int, values: Mapping[str, Any], fixed: frozenset[str]) -> None:
    before.row = number
    cleared = values.get(CLEARED) or frozenset()
    if CLEARED in values:
        given = {column for column, value in values.items() if value is not None}
        before.values[CLEARED] = frozenset(before.values[CLEARED]) - given | frozenset(cleared)
    for column, value in values.items():
        if column in fixed or column in {CLEARED, ROW}:
            continue
        if column in cleared:
            before.values[column] = None
        elif value is None:
            continue
        elif column in _OBJECTS:
            before.values[column] = {**(before.values[column] or {}), **value}
        else:
            before.values[column] = value
