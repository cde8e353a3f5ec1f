"""Whether an export holds the rows of the file that was imported, cell by cell."""

import csv
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from schemas.base import format_instant
from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType
from service.errors import WharfError

_PREFIXES = ("metadata", "properties")


class DifferenceError(WharfError):
    """The export differs from what was imported."""

    code = "difference"


def compare_files(entity: EntityType, imported: Path, exported: Path) -> int:
    """Compare by the entity's natural key; gives the number of rows, raises DifferenceError for the first that differs.

    Columns of the export that the import did not have are its own (ids, times) and are not looked at.
    """
    key = ENTITIES[entity].natural_key
    wanted, found = _read(imported, key), _read(exported, key)
    if wanted.keys() != found.keys():
        missing, extra = (
            len(wanted.keys() - found.keys()),
            len(found.keys() - wanted.keys()),
        )
        message = f"{exported.name}: {missing} rows of {imported.name} are missing, {extra} rows are not in it"
        raise DifferenceError(message)
    for name, row in wanted.items():
        cells = {column: found[name].get(column, "") for column in row}
        if cells != row:
            columns = [column for column in row if row[column] != cells[column]]
            message = f"{exported.name}: {key} {name} differs in {', '.join(columns)}"
            raise DifferenceError(message)
    return len(wanted)


def _read(path: Path, key: str) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_key = {row[key]: _flat(row) for row in rows}
    if len(by_key) != len(rows):
        raise DifferenceError(f"{path.name}: {len(rows) - len(by_key)} rows repeat the {key} of another")
    return by_key


def _flat(row: Mapping[str, str]) -> dict[str, str]:
    """The row with a JSON column spread over prefixed ones, and times in one way of writing."""
    cells: dict[str, str] = {}
    for column, cell in row.items():
        if column in _PREFIXES:
            cells.update({f"{column}.{name}": str(value) for name, value in json.loads(cell or "{}").items()})
        elif column == "timestamp":
            cells[column] = format_instant(datetime.fromisoformat(cell))
        else:
            cells[column] = cell
    return cells
