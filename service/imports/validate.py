"""Validates the rows of a chunk by the row schema of their entity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.entities import Entity
from schemas.row_errors import Problem, RowError, cut_value
from service.errors import SourceRefusedError
from service.imports.read import Row

_NAMES_TOLD = 20


@dataclass(frozen=True, slots=True)
class ValidRow:
    """A row that may be loaded: a value for each column of its entity, None to keep what is stored."""

    number: int
    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Validated:
    """The good rows in order, and why the others are refused: one row error or more for each."""

    rows: list[ValidRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def check_header(entity: Entity, header: tuple[str, ...]) -> None:
    """Raise SourceRefusedError when columns are missing without which no row is good."""
    missing = [name for name in entity.required_columns if name not in header]
    if missing:
        raise SourceRefusedError(
            f"The header lacks {', '.join(missing)}, which every row of {entity.type} needs; "
            f"it has {_list_names(header)}. Add what is missing and create a new task"
        )


def validate_rows(entity: Entity, rows: Iterable[Row | RowError]) -> Validated:
    """The rows as values for the entity's columns; rows that could not be read go to the errors as they are."""
    validated = Validated()
    for row in rows:
        if isinstance(row, RowError):
            validated.errors.append(row)
            continue
        try:
            values = entity.schema.load(row.cells)
        except ValidationError as refused:
            validated.errors.extend(_row_errors(row, refused))
        else:
            validated.rows.append(ValidRow(row.number, row.line, values))
    return validated


def _row_errors(row: Row, refused: ValidationError) -> Iterator[RowError]:
    """One row error for each column that marshmallow names."""
    for column, problems in refused.messages_dict.items():
        problem: Problem = problems[0]
        found = row.cells.get(column)
        value = None if found is None else cut_value(found)
        yield RowError(row.number, row.line, column, problem.code, value, str(problem))


def _list_names(header: tuple[str, ...]) -> str:
    names = ", ".join(cut_value(name) for name in header[:_NAMES_TOLD])
    more = len(header) - _NAMES_TOLD
    return f"{names} and {more} more" if more > 0 else names
