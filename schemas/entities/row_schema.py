"""What the row schemas of all entities have in common."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, Schema, ValidationError, pre_load, validates_schema

from schemas.entities.json_columns import GivenObject, JsonObject
from schemas.entities.rules import Ignored, Needed, Rule, find_problems
from schemas.row_errors import Problem, RowErrorCode

Cells = Mapping[str, Any]


class RowSchema(Schema):
    """The rules of one entity's rows.

    Loads the cells of a row, text or JSON values by column name, to a value for each column; None stands for a cell
    that is blank or absent, so for what is stored already to be kept. The messages of a
    ValidationError are `Problem`s by column. Rules across columns are looked at when each column by
    itself is good.
    """

    class Meta:
        """Unknown columns are ignored; so are id, created_at and updated_at, which exports add."""

        unknown = EXCLUDE

    #: The column that names a row.
    key: ClassVar[str]
    #: Columns that are made from others where they are blank.
    derived: ClassVar[tuple[str, ...]] = ()
    #: Other names of columns; a column's own name counts before them.
    aliases: ClassVar[Mapping[str, str]] = {}
    ignored: ClassVar[tuple[Ignored, ...]] = ()
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def for_changes(cls) -> Self:
        """The rules of rows that only change what is there: nothing but the key is required, nothing has a default."""
        return cls(partial=[name for name in cls._declared_fields if name != cls.key])

    def needs(self, name: str) -> bool:
        """Whether a row without this column is refused, whatever else it has."""
        return name == self.key if self.partial else self.fields[name].required

    def knows(self, name: str) -> bool:
        """Whether cells of this name mean something: a column, another name of one, or a key of an object."""
        return name in self.fields or name in self.aliases or any(map(name.startswith, self._prefixes))

    def is_object(self, name: str) -> bool:
        """Whether the column holds a JSON object."""
        return isinstance(self.fields.get(name), JsonObject)

    def applies(self, rule: Rule) -> bool:
        """Whether rows have to obey this rule: a change may leave out what a new row needs."""
        return not (self.partial and isinstance(rule, Needed))

    @pre_load
    def gather_cells(self, cells: Cells, **_: Any) -> dict[str, Any]:
        """The filled cells by column, objects put together from theirs."""
        filled: dict[str, Any] = {name: cell for name, cell in cells.items() if cell != "" and cell is not None}
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
        problems = find_problems(filter(self.applies, self.rules), values)
        if self.needs(self.key) and self.key not in self.derived and values.get(self.key) is None:
            problems[self.key] = Problem(RowErrorCode.REQUIRED, f"{self.key} is required and must not be blank")
        if problems:
            raise ValidationError({column: [problem] for column, problem in problems.items()})

    @cached_property
    def objects(self) -> tuple[JsonObject, ...]:
        """The columns that can also be given key by key."""
        return tuple(column for column in self.fields.values() if isinstance(column, JsonObject))

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(column.prefix for column in self.objects)

    def _gather_object(self, column: JsonObject, cells: Cells, filled: dict[str, Any]) -> None:
        name, prefix = str(column.name), column.prefix
        source = cells if column.keep_blank else filled
        by_key = {key[len(prefix) :]: cell for key, cell in source.items() if key.startswith(prefix)}
        if by_key or name in filled:
            filled[name] = GivenObject(filled.get(name), by_key)
