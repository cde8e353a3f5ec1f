"""The rules across columns as expressions over columns: where each is surely obeyed."""

from collections.abc import Mapping
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from schemas.entities.rules import (
    Condition,
    Is,
    IsFilled,
    IsNot,
    Needed,
    NotAllowed,
    NotBefore,
    OnlyOneOf,
    Rule,
)
from service.imports.columns.kinds import is_in

Columns = Mapping[str, pa.StringArray]


def find_obeyed(rule: Rule, values: Columns) -> pa.BooleanArray:
    """Where the values, null for blank ones, surely obey the rule."""
    value = values[rule.column]
    match rule:
        case Needed():
            return pc.or_(pc.is_valid(value), pc.invert(_all_hold(rule.when, values)))
        case NotAllowed():
            harmless = is_in(value, tuple(str(word) for word in rule.harmless))
            return pc.or_(pc.or_(pc.is_null(value), harmless), pc.invert(_all_hold(rule.when, values)))
        case OnlyOneOf():
            return pc.or_(is_in(value, rule.words), pc.invert(_all_hold(rule.when, values)))
        case NotBefore():
            # Two times in two offsets: the row schema compares them.
            return pc.or_(pc.is_null(value), pc.is_null(values[rule.other]))
        case _:
            return pa.repeat(pa.scalar(value=False), len(value))


def find_holds(condition: Condition, values: Columns) -> pa.BooleanArray:
    """Where a condition holds; raises TypeError for a kind of condition that is not known here."""
    match condition:
        case Is(column, words):
            return is_in(values[column], words)
        case IsNot(column, words):
            return pc.invert(is_in(values[column], words))
        case IsFilled(column):
            return pc.is_valid(values[column])
        case _:
            message = f"{condition!r} has no expression over columns"
            raise TypeError(message)


def _all_hold(conditions: tuple[Condition, ...], values: Columns) -> pa.BooleanArray:
    return reduce(pc.and_, (find_holds(condition, values) for condition in conditions))
