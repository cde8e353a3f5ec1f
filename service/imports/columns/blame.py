"""Why rows are refused that single cells spoil: only those cells are shown to their columns.

Most refused rows are of this kind, and asking one column costs a tenth of loading the row. The rules
across columns are not looked at for them, as in the row schema itself.
"""

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


def find_faults(schema: RowSchema, table: CellTable, judged: Judged, *, has_nulls: bool) -> dict[int, list[Fault]]:
    """The rows that are not clean, by number, with all their faults; none where the whole row has to be loaded.

    With `has_nulls` a blank cell may have been null, so that its row says what stands there.
    """
    unclean = np.flatnonzero(~np.asarray(judged.clean, bool))
    faults: list[list[Fault]] = [[] for _ in unclean]
    loaded_whole: set[int] = set()
    for name in schema.fields:
        is_clean = np.asarray(judged.clean_cells[name].fill_null(False), bool)[unclean]  # noqa: FBT003
        spoilt = np.flatnonzero(~is_clean)
        if not len(spoilt):
            continue
        if schema.is_object(name) or name in schema.derived:
            loaded_whole.update(spoilt.tolist())
            continue
        texts = judged.filled[name].take(unclean[spoilt]).to_pylist()
        cells = table.cells[name].take(unclean[spoilt]).to_pylist() if name in table.cells else [None] * len(spoilt)
        if has_nulls:
            loaded_whole.update(place for place, cell in zip(spoilt.tolist(), cells, strict=True) if cell == "")
        problems = {text: _ask(schema, name, text) for text in set(texts)}
        for place, text, cell in zip(spoilt.tolist(), texts, cells, strict=True):
            if (problem := problems[text]) is not None:
                faults[place].append(Fault(name, cell, problem))
    rows = table.rows[unclean].tolist()
    return {row: [] if place in loaded_whole else faults[place] for place, row in enumerate(rows)}


def _ask(schema: RowSchema, name: str, text: str | None) -> Problem | None:
    """What the column says of a cell; None if it is good."""
    try:
        schema.fields[name].deserialize(missing if text is None else text)
    except ValidationError as refused:
        (problem,) = refused.messages
        return cast("Problem", problem)
    return None
