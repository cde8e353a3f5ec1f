"""What the row schemas of all entities have in common."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, pre_load, validates_schema

from schemas.entities.json_columns import GivenObject, JsonObject
from schemas.entities.rules import Ignored, Rule, find_problems

Cells = Mapping[str, str]


class RowSchema(Schema):
    """The rules of one entity's rows.

    Loads the cells of a row, text by column name, to a value for each column; None stands for a cell
    that is blank or absent, so for what is stored already to be kept. The messages of a
    ValidationError are `Problem`s by column. Rules across columns are looked at when each column by
    itself is good.
    """

    class Meta:
        """Unknown columns are ignored; so are id, created_at and updated_at, which exports add."""

        unknown = EXCLUDE

    #: Other names of columns; a column's own name counts before them.
    aliases: ClassVar[Mapping[str, str]] = {}
    ignored: ClassVar[tuple[Ignored, ...]] = ()
    rules: ClassVar[tuple[Rule, ...]] = ()

    @pre_load
    def gather_cells(self, cells: Cells, **_: Any) -> dict[str, Any]:
        """The filled cells by column, objects put together from theirs."""
        filled: dict[str, Any] = {name: cell for name, cell in cells.items() if cell != ""}
        for alias, name in self.aliases.items():
            if alias in filled:
                filled.setdefault(name, filled[alias])
        for ignored in self.ignored:
            if ignored.when.holds(filled):
                filled = {name: cell for name, cell in filled.items() if name not in ignored.columns}
        for column in self.objects:
            self._gather_object(column, cells, filled)
        return filled

    @validates_schema(skip_on_field_errors=True)
    def check_rules(self, values: dict[str, Any], **_: Any) -> None:
        """Look at the rules across columns."""
        if problems := find_problems(self.rules, values):
            raise ValidationError({column: [problem] for column, problem in problems.items()})

    @cached_property
    def objects(self) -> tuple[JsonObject, ...]:
        """The columns that can also be given key by key."""
        return tuple(column for column in self.fields.values() if isinstance(column, JsonObject))

    def _gather_object(self, column: JsonObject, cells: Cells, filled: dict[str, Any]) -> None:
        name, prefix = str(column.name), column.prefix
        source = cells if column.keep_blank else filled
        by_key = {key[len(prefix) :]: cell for key, cell in source.items() if key.startswith(prefix)}
        if by_key or name in filled:
            filled[name] = GivenObject(filled.get(name), by_key)
