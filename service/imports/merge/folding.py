"""Several rows of one key as the one row that they amount to when applied in file order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class FoldedRow:
    """The sum of the rows of one key: `row` is the last one's number, `count` how many they were."""

    row: int
    count: int
    values: dict[str, Any]


def fold_rows(
    rows: Iterable[tuple[int, str, Mapping[str, Any]]],
    fixed: frozenset[str] = frozenset(),
) -> list[FoldedRow]:
    """Fold (row number, key, values) given in file order, one result a key.

    A later value replaces an earlier one, None keeps it, `metadata` merges key by key, and the columns
    in `fixed` keep the first row's value.
    """
    folded: dict[str, FoldedRow] = {}
    for number, key, values in rows:
        before = folded.get(key)
        if before is None:
            folded[key] = FoldedRow(number, 1, dict(values))
        else:
            _apply(before, number, values, fixed)
    return list(folded.values())


def _apply(before: FoldedRow, number: int, values: Mapping[str, Any], fixed: frozenset[str]) -> None:
    before.row = number
    before.count += 1
    for column, value in values.items():
        if value is None or column in fixed:
            continue
        if column == "metadata":
            before.values[column] = {**(before.values[column] or {}), **value}
        else:
            before.values[column] = value
