"""What the tests of the row schemas share: what a row of cells becomes, or why it is refused."""

from typing import Any

from marshmallow import ValidationError

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType

Cells = dict[str, str]


def load_row(entity: EntityType, cells: Cells) -> dict[str, Any]:
    """The values that are given, without the columns that are blank."""
    values = ENTITIES[entity].schema.load(cells)
    return {column: value for column, value in values.items() if value is not None}


def refuse_row(entity: EntityType, cells: Cells) -> dict[str, tuple[str, str]]:
    """The code and the message of each column that is refused; nothing if the row is good."""
    try:
        ENTITIES[entity].schema.load(cells)
    except ValidationError as refused:
        return {column: (problem.code.value, str(problem)) for column, (problem,) in refused.messages_dict.items()}
    return {}
