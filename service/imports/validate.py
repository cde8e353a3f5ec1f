"""Validates the rows of a chunk: whole columns at once where rows are clean, one by one where they are not."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from marshmallow import ValidationError

from schemas.entities.row_schema import RowSchema
from schemas.options import Blank
from schemas.row_errors import Problem, RowError, cut_value
from service.imports.columns.clean import judge_cells
from service.imports.columns.read import read_cells
from service.imports.columns.text import CLEARED, ROW, cleared_texts, find_cleared, make_table
from service.imports.read import Reading, Record, Row, pick_records, read_record


@dataclass(frozen=True, slots=True)
class ChunkText:
    """The bytes of a chunk, how to read them, and the number and the line of its first row."""

    data: bytes = field(repr=False)
    reading: Reading
    first_row: int
    first_line: int

    def pick(self, rows: list[int]) -> list[Record]:
        """The records of these row numbers, which rise."""
        return pick_records(self.data, self.reading.format, self.first_row, self.first_line, rows) if rows else []


@dataclass(frozen=True, slots=True)
class Validated:
    """The good rows in file order, `row` and a column of text for each of the entity; why the others are refused."""

    table: pa.Table
    errors: list[RowError]


def validate_chunk(schema: RowSchema, chunk: ChunkText, blank: Blank) -> Validated:
    """The rows of a chunk as values for the entity's columns, the same as if each were loaded by the row schema.

    With blanks that clear, the column `cleared` names the columns whose blank cells take a value away.
    """
    cells = read_cells(chunk.data, chunk.reading, chunk.first_row, schema)
    judged = judge_cells(schema, cells)
    columns = dict(judged.values)
    if blank is Blank.CLEAR:
        columns[CLEARED] = cleared_texts(schema, cells)
    table = pa.table({ROW: pa.array(cells.rows, pa.int64()), **columns})
    if not len(cells.others) and judged.clean.true_count == len(judged.clean):
        return Validated(table, [])
    is_clean = np.asarray(judged.clean, bool)
    others = np.union1d(cells.others, cells.rows[~is_clean]).tolist()
    loaded, errors = _load_one_by_one(schema, chunk, others, blank)
    whole = pa.concat_tables([table.filter(judged.clean), make_table(loaded, list(columns))])
    return Validated(whole.sort_by(ROW) if loaded else whole, errors)


def _load_one_by_one(
    schema: RowSchema, chunk: ChunkText, rows: list[int], blank: Blank
) -> tuple[list[tuple[int, dict[str, object]]], list[RowError]]:
    """The values of these rows by number, and one row error or more for each that is refused."""
    loaded: list[tuple[int, dict[str, object]]] = []
    errors: list[RowError] = []
    for record in chunk.pick(rows):
        row = read_record(record, chunk.reading)
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            values = schema.load(row.cells)
        except ValidationError as refused:
            errors.extend(_row_errors(row, refused))
            continue
        if blank is Blank.CLEAR:
            values[CLEARED] = find_cleared(schema, row.cells)
        loaded.append((row.number, values))
    return loaded, errors


def _row_errors(row: Row, refused: ValidationError) -> Iterator[RowError]:
    """One row error for each column that marshmallow names."""
    for column, problems in refused.messages_dict.items():
        problem: Problem = problems[0]
        found = row.cells.get(column)
        value = None if found is None else cut_value(found)
        yield RowError(row.number, row.line, column, problem.code, value, str(problem))
