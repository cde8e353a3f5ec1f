"""Rules across the columns of a row, each a value with public parts so that it can be compiled too."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.row_errors import Problem, RowErrorCode, quote_value

Values = Mapping[str, Any]


class Condition(Protocol):
    """Something that holds for a row or does not; its text stands behind "when"."""

    def holds(self, values: Values) -> bool:
        """Whether it holds for these values."""


@dataclass(frozen=True, slots=True)
class Is:
    """The column holds one of these words."""

    column: str
    words: tuple[str, ...]

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        return values.get(self.column) in self.words

    def __str__(self) -> str:
        """The same for people."""
        return f"{self.column} is {' or '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class IsNot:
    """The column holds none of these words."""

    column: str
    words: tuple[str, ...]

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        return values.get(self.column) not in self.words

    def __str__(self) -> str:
        """The same for people."""
        return f"{self.column} is not {' or '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class IsFilled:
    """The column is not blank."""

    column: str

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        return values.get(self.column) is not None

    def __str__(self) -> str:
        """The same for people."""
        return f"{self.column} is filled"


class Rule(Protocol):
    """What the cells of a row must obey together; the problem is told of one column."""

    @property
    def column(self) -> str:
        """The column to mend."""

    def find_problem(self, values: Values) -> Problem | None:
        """What is wrong with these values, if anything."""


@dataclass(frozen=True, slots=True)
class Needed:
    """The column must be filled when all the conditions hold."""

    column: str
    when: tuple[Condition, ...]

    def find_problem(self, values: Values) -> Problem | None:
        """That it is blank."""
        if values.get(self.column) is None and _all_hold(self.when, values):
            return Problem(RowErrorCode.REQUIRED, f"{self.column} is required when {_describe(self.when)}")
        return None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The column must be blank when all the conditions hold; `harmless` values say the same as blank."""

    column: str
    when: tuple[Condition, ...]
    harmless: tuple[Any, ...] = ()

    def find_problem(self, values: Values) -> Problem | None:
        """That it is not blank."""
        value = values.get(self.column)
        if value is not None and value not in self.harmless and _all_hold(self.when, values):
            message = f"{self.column} must be blank when {_describe(self.when)}"
            return Problem(RowErrorCode.NOT_ALLOWED, message)
        return None


@dataclass(frozen=True, slots=True)
class OnlyOneOf:
    """The column must hold one of these words when all the conditions hold."""

    column: str
    words: tuple[str, ...]
    when: tuple[Condition, ...]

    def find_problem(self, values: Values) -> Problem | None:
        """That it holds another word, or none."""
        value = values.get(self.column)
        if value in self.words or not _all_hold(self.when, values):
            return None
        message = f"{self.column} must be {' or '.join(self.words)} when {_describe(self.when)}"
        return Problem(RowErrorCode.INCONSISTENT, f"{message}, not {quote_value(value)}")


@dataclass(frozen=True, slots=True)
class NotBefore:
    """The column's time must not lie before another's."""

    column: str
    other: str

    def find_problem(self, values: Values) -> Problem | None:
        """That it does."""
        later, earlier = values.get(self.column), values.get(self.other)
        if later is None or earlier is None or later >= earlier:
            return None
        return Problem(RowErrorCode.INCONSISTENT, f"{self.column} must not be before {self.other}")


@dataclass(frozen=True, slots=True)
class Ignored:
    """The columns count as absent, whatever is in them, when the condition holds for the texts of the row."""

    columns: tuple[str, ...]
    when: Condition


def find_problems(rules: Iterable[Rule], values: Values) -> dict[str, Problem]:
    """The first problem of each column."""
    problems: dict[str, Problem] = {}
    for rule in rules:
        if rule.column not in problems and (problem := rule.find_problem(values)):
            problems[rule.column] = problem
    return problems


def _all_hold(conditions: Iterable[Condition], values: Values) -> bool:
    return all(condition.holds(values) for condition in conditions)


def _describe(conditions: Iterable[Condition]) -> str:
    return " and ".join(str(condition) for condition in conditions)
