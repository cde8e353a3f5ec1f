"""What makes a filled cell clean, for each kind of column: at least what its row schema asks for."""

from functools import reduce, singledispatch
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from marshmallow import fields

from schemas.entities.columns import Amount, Choice, Code, Email, Text, Time, Whole
from schemas.entities.json_columns import JsonObject

#: All that a float or an integer of Python turns into the same text again.
_NUMBER = r"-?(?:0|[1-9][0-9]{0,6})(?:\.(?:0|[0-9]{0,7}[1-9]))?|-?[1-9][0-9]{7,17}"
_STRING = r'"[^"\\\x00-\x1f]*"'
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_ARRAY = rf"\[(?:{_SCALAR}(?:, ?{_SCALAR})*)?\]"
_PAIR = rf"{_STRING}: ?(?:{_SCALAR}|{_ARRAY})"
_FLAT_OBJECT = rf"^\{{(?:{_PAIR}(?:, ?{_PAIR})*)?\}}$"

#: Shorter than a local part and a label may be, so that only the sum has to be looked at.
_EMAIL_BYTES = 64
_EMAIL = r"^[A-Za-z0-9_%+'-]+(?:\.[A-Za-z0-9_%+'-]+)*@(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}$"

_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_DAY = r"(?:19|20|21)(?:0[48]|[2468][048]|[13579][26])-02-29"
_TIME = (
    rf"^(?:[12][0-9]{{3}}-{_DAY}|{_LEAP_DAY})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,6}})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
)


@singledispatch
def find_clean_cells(column: fields.Field[Any], cells: pa.StringArray) -> pa.BooleanArray:
    """Which cells are clean; blank ones come as null, and what is said of them does not matter.

    A kind of column that is not known here has no clean cells.
    """
    del column
    return _none(cells)


@find_clean_cells.register
def _(column: Text, cells: pa.StringArray) -> pa.BooleanArray:
    # No text has more characters than bytes.
    clean = pc.less_equal(pc.binary_length(cells), column.max_length)
    return pc.and_(clean, pc.match_substring_regex(cells, "(?s)^[!-~](?:.*[!-~])?$")) if column.trim else clean


@find_clean_cells.register
def _(column: Code, cells: pa.StringArray) -> pa.BooleanArray:
    return pc.match_substring_regex(cells, rf"^[ -~]{{{column.length}}}$")


@find_clean_cells.register
def _(column: Choice, cells: pa.StringArray) -> pa.BooleanArray:
    return is_in(cells, column.words)


@find_clean_cells.register
def _(_column: Email, cells: pa.StringArray) -> pa.BooleanArray:
    return pc.and_(
        pc.less_equal(pc.binary_length(cells), _EMAIL_BYTES),
        pc.match_substring_regex(cells, _EMAIL),
    )


@find_clean_cells.register
def _(column: Whole, cells: pa.StringArray) -> pa.BooleanArray:
    is_short = pc.fill_null(pc.match_substring_regex(cells, "^[0-9]{1,18}$"), fill_value=False)
    numbers = pc.cast(pc.if_else(is_short, cells, "-1"), pa.int64())
    return pc.and_(is_short, pc.and_(pc.greater_equal(numbers, column.least), pc.less_equal(numbers, column.most)))


@find_clean_cells.register
def _(column: Amount, cells: pa.StringArray) -> pa.BooleanArray:
    clean = pc.match_substring_regex(cells, r"^[0-9]{1,20}(?:\.[0-9]{1,18})?$")
    return pc.and_(clean, pc.match_substring_regex(cells, "[1-9]")) if column.above_zero else clean


@find_clean_cells.register
def _(_column: Time, cells: pa.StringArray) -> pa.BooleanArray:
    return pc.match_substring_regex(cells, _TIME)


@find_clean_cells.register
def _(_column: JsonObject, cells: pa.StringArray) -> pa.BooleanArray:
    """A flat object of plain values; deeper ones are the row schema's."""
    return pc.match_substring_regex(cells, _FLAT_OBJECT)


def is_in(cells: pa.StringArray, words: tuple[str, ...]) -> pa.BooleanArray:
    """Where a cell holds one of these words; false for null."""
    return pc.is_in(cells, pa.array([str(word) for word in words], pa.string()))


def all_of(conditions: list[pa.BooleanArray], length: int) -> pa.BooleanArray:
    """Where all of them hold; null counts as false."""
    everywhere = pa.repeat(pa.scalar(value=True), length)
    return pc.fill_null(reduce(pc.and_kleene, conditions, everywhere), fill_value=False)


def _none(cells: pa.StringArray) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(value=False), len(cells))
