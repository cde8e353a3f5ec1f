"""Why rows are refused that single cells spoil: only those cells are shown to their columns.

Most refused rows are of this kind, and asking one column costs a tenth of loading the row. The rules
across columns are not looked at for them, as in the row schema itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from marshmallow import ValidationError, missing

from schemas.entities.row_schema import RowSchema
from schemas.row_errors import Problem
from service.imports.columns.cells import CellTable
from service.imports.columns.clean import Judged


@dataclass(frozen=True, slots=True)
class Fault:
    """What a column says of a cell: the text that stands there, None where there is no such cell."""

    column: str
    found: str | None
    problem: Problem


def find_faults(
    schema: RowSchema, table: CellTable, judged: Judged, *, has_nulls: bool
) -> Iterator[tuple[int, list[Fault]]]:
    """The rows that are not clean, by number, with all their faults; none where the whole row has to be loaded.

    With `has_nulls` a blank cell may have been null, so that its row says what stands there.
    """
    unclean = np.flatnonzero(~np.asarray(judged.clean, bool))
    names = list(schema.fields)
    spoilt = np.array([~np.asarray(judged.clean_cells[name].fill_null(False), bool)[unclean] for name in names])  # noqa: FBT003
    texts = {name: judged.filled[name].take(unclean).to_pylist() for name in names}
    found = {name: cells.take(unclean).to_pylist() for name, cells in table.cells.items() if name in texts}
    for place, row in enumerate(table.rows[unclean].tolist()):
        columns = [names[column] for column in np.flatnonzero(spoilt[:, place])]
        cells = {name: found[name][place] if name in found else None for name in columns}
        if any(schema.is_object(name) or name in schema.derived for name in columns) or (
            has_nulls and "" in cells.values()
        ):
            yield row, []
            continue
        yield row, [fault for name in columns for fault in _ask(schema, name, texts[name][place], cells[name])]


def _ask(schema: RowSchema, name: str, text: str | None, found: str | None) -> list[Fault]:
    """What the column says of the cell, nothing if it is good."""
    try:
        schema.fields[name].deserialize(missing if text is None else text)
    except ValidationError as refused:
        (problem,) = refused.messages
        return [Fault(name, found, cast("Problem", problem))]
    return []
