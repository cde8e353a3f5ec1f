"""Validates the rows of a chunk: whole columns at once where rows are clean, one by one where they are not."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from marshmallow import ValidationError

from schemas.entities.row_schema import RowSchema
from schemas.options import Blank
from schemas.row_errors import Problem, RowError, cut_value
from service.imports.columns.blame import Fault, find_faults
from service.imports.columns.clean import judge_cells
from service.imports.columns.read import ChunkText
from service.imports.columns.text import CLEARED, ROW, cleared_texts, find_cleared, make_table
from service.imports.formats.read import Record, read_record
from service.imports.formats.source_format import Layout


@dataclass(frozen=True, slots=True)
class Validated:
    """The good rows in file order, `row` and a column of text for each of the entity; why the others are refused."""

    table: pa.Table
    errors: list[RowError]


def validate_chunk(schema: RowSchema, chunk: ChunkText, blank: Blank) -> Validated:
    """The rows of a chunk as values for the entity's columns, the same as if each were loaded by the row schema.

    With blanks that clear, the column `cleared` names the columns whose blank cells take a value away.
    """
    cells = chunk.read_cells(schema)
    judged = judge_cells(schema, cells)
    columns = dict(judged.values)
    if blank is Blank.CLEAR:
        columns[CLEARED] = cleared_texts(schema, cells)
    table = pa.table({ROW: pa.array(cells.rows, pa.int64()), **columns})
    if not len(cells.others) and judged.clean.true_count == len(judged.clean):
        return Validated(table, [])
    is_json = chunk.reading.format.layout is not Layout.CSV
    faults = find_faults(schema, cells, judged, has_nulls=is_json)
    faults.update((row, []) for row in cells.others.tolist())
    loaded, errors = _load_one_by_one(schema, chunk, faults, blank)
    clean = table.filter(judged.clean)
    if not loaded:
        return Validated(clean, errors)
    return Validated(pa.concat_tables([clean, make_table(loaded, list(columns))]).sort_by(ROW), errors)


def _load_one_by_one(
    schema: RowSchema, chunk: ChunkText, faults: Mapping[int, list[Fault]], blank: Blank
) -> tuple[list[tuple[int, dict[str, object]]], list[RowError]]:
    """The values of these rows by number, and one row error or more for each that is refused."""
    loaded: list[tuple[int, dict[str, object]]] = []
    errors: list[RowError] = []
    for record in chunk.pick(sorted(faults)):
        if known := faults[record.number]:
            errors += [_row_error(record, fault.column, fault.found, fault.problem) for fault in known]
            continue
        row = read_record(record, chunk.reading)
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            values = schema.load(row.cells)
        except ValidationError as refused:
            told = refused.messages_dict.items()
            errors += [_row_error(record, column, row.cells.get(column), problems[0]) for column, problems in told]
            continue
        if blank is Blank.CLEAR:
            values[CLEARED] = find_cleared(schema, row.cells)
        loaded.append((row.number, values))
    return loaded, errors


def _row_error(record: Record, column: str, found: object, problem: Problem) -> RowError:
    """What a column says of a cell of this record."""
    value = None if found is None else cut_value(found)
    return RowError(record.number, record.line, column, problem.code, value, str(problem))
