"""What the fast path works on: the cells of a chunk by column, as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

RowNumbers = npt.NDArray[np.int64]
NO_ROWS: RowNumbers = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class CellTable:
    """The rows of a chunk that could be read by columns.

    `rows` are their numbers, rising. `cells` has a text array for each column of that name: "" is a
    blank cell, null an absent one. `others` are the numbers of the rows that have to be read one by one.
    """

    rows: RowNumbers
    cells: Mapping[str, pa.StringArray]
    others: RowNumbers = field(default_factory=lambda: NO_ROWS)


def is_filled(cells: pa.StringArray) -> pa.BooleanArray:
    """Where a cell is there and not blank."""
    return pc.fill_null(pc.not_equal(cells, ""), fill_value=False)


def without_blanks(cells: pa.StringArray) -> pa.StringArray:
    """The same with null for every blank cell."""
    return pc.if_else(is_filled(cells), cells, pa.scalar(None, pa.string()))


def absent(length: int) -> pa.StringArray:
    """A column that no row has."""
    return pa.nulls(length, pa.string())
