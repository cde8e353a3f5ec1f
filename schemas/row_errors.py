"""Why a row was refused: a code for programs, a place in the file, a message that says what to do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_VALUE_CHARACTERS = 100
_QUOTED_CHARACTERS = 40


class RowErrorCode(StrEnum):
    """Every reason for which a row is refused."""

    # The bytes cannot be read as a row.
    INVALID_UTF8 = "invalid_utf8"
    NUL_BYTE = "nul_byte"
    ROW_TOO_LONG = "row_too_long"
    FIELD_TOO_LONG = "field_too_long"
    # One cell breaks the rule of its column.
    REQUIRED = "required"
    INVALID_TYPE = "invalid_type"
    TOO_LONG = "too_long"
    WRONG_LENGTH = "wrong_length"
    INVALID_CHOICE = "invalid_choice"
    INVALID_NUMBER = "invalid_number"
    OUT_OF_RANGE = "out_of_range"
    INVALID_TIME = "invalid_time"
    INVALID_EMAIL = "invalid_email"
    INVALID_JSON = "invalid_json"
    INVALID_TIERS = "invalid_tiers"
    # The cells do not go together.
    NOT_ALLOWED = "not_allowed"
    INCONSISTENT = "inconsistent"
    # The row does not go with what is stored.
    ALREADY_EXISTS = "already_exists"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row was refused; `column` is "" when it is the row as a whole, `value` what stood there."""

    row: int
    line: int
    column: str
    code: RowErrorCode
    value: str | None
    message: str


class Problem(str):
    """A message with its code: what a row schema's ValidationError carries for each column.

    It is a string, so that marshmallow treats it as any other message.
    """

    __slots__ = ("code",)
    code: RowErrorCode

    def __new__(cls, code: RowErrorCode, message: str) -> Self:
        """The message, marked with its code."""
        problem = super().__new__(cls, message)
        problem.code = code
        return problem


def cut_value(value: object) -> str:
    """The start of a cell, as text that PostgreSQL can store: at most 100 characters and no NUL."""
    text = str(value)[:_VALUE_CHARACTERS].replace("\0", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8")


def quote_value(value: object) -> str:
    """The start of a cell in quotes, for a message."""
    text = cut_value(value)
    return f'"{text}"' if len(text) <= _QUOTED_CHARACTERS else f'"{text[:_QUOTED_CHARACTERS]}…"'
