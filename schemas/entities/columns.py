"""The kinds of columns: each turns one filled cell into a value, or says what is wrong with it.

A cell is text, or of JSON any value: numbers, true and false count as their text.
What a column accepts is in its public attributes alone, so that the same rules can be compiled to
expressions over whole columns.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from marshmallow import ValidationError, fields

from schemas.row_errors import Problem, RowErrorCode, quote_value

ValueT = TypeVar("ValueT")

#: Keys and short texts: four bytes a character, so that two of them fit a B-tree entry of PostgreSQL.
KEY_CHARACTERS: Final = 255
INT4_MAX: Final = 2**31 - 1


class Column(fields.Field[ValueT]):
    """A column of a row schema; an optional one that is blank or absent gives `default`."""

    def __init__(self, *, required: bool = False, default: ValueT | None = None) -> None:
        if required:
            super().__init__(required=True)
        else:
            super().__init__(load_default=default, allow_none=True)

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """What marshmallow itself complains about: a required cell that is blank (`required`, `null`)."""
        del key
        return self.problem(RowErrorCode.REQUIRED, "is required and must not be blank")

    def _deserialize(self, value: object, *_: Any, **__: Any) -> ValueT:
        return self._read(value if isinstance(value, str) else self._text_of(value))

    def _text_of(self, value: object) -> str:
        """The text that a JSON value stands for; raises ValidationError for one that stands for none."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float | Decimal):
            return str(value)
        kind = "an array" if isinstance(value, list) else "an object"
        raise self.problem(RowErrorCode.INVALID_TYPE, f"must be text or a number, not {kind}")

    @abstractmethod
    def _read(self, text: str) -> ValueT:
        """The value of a filled cell; raises ValidationError with a Problem."""

    def problem(self, code: RowErrorCode, reason: str, found: object = None) -> ValidationError:
        """An error whose message names the column, what it must be and what was found."""
        was = "" if found is None else f", not {quote_value(found)}"
        return ValidationError(Problem(code, f"{self.name} {reason}{was}"))


class Text(Column[str]):
    """Free text of at most `max_length` characters; with `trim` without the white space at both ends."""

    def __init__(self, max_length: int = KEY_CHARACTERS, *, trim: bool = False, required: bool = False) -> None:
        super().__init__(required=required)
        self.max_length = max_length
        self.trim = trim

    def _read(self, text: str) -> str:
        text = text.strip() if self.trim else text
        if len(text) > self.max_length:
            found = f"is {len(text)} characters long, the limit is {self.max_length}"
            raise self.problem(RowErrorCode.TOO_LONG, found)
        if not text:
            raise self.make_error("required")
        return text


class Code(Column[str]):
    """A text of exactly `length` characters."""

    def __init__(self, length: int, *, required: bool = False) -> None:
        super().__init__(required=required)
        self.length = length

    def _read(self, text: str) -> str:
        if len(text) != self.length:
            raise self.problem(RowErrorCode.WRONG_LENGTH, f"must be exactly {self.length} characters", text)
        return text


class Choice(Column[str]):
    """One of `words`, spelled exactly so; what they are called together, if that says more than a list."""

    def __init__(
        self, words: Iterable[str], *, called: str | None = None, required: bool = False, default: str | None = None
    ) -> None:
        super().__init__(required=required, default=default)
        self.words = tuple(str(word) for word in words)
        self.called = called or f"one of {', '.join(self.words)}"

    def _read(self, text: str) -> str:
        if text not in self.words:
            raise self.problem(RowErrorCode.INVALID_CHOICE, f"must be {self.called}", text)
        return text


class Email(Column[str]):
    """An address as people have them: local@domain.tld, no display name, no quotes."""

    max_length: Final = 254
    pattern: Final = re.compile(
        r"""(?=.{1,64}@)[^\s@.<>()\[\],;:\\"]+(?:\.[^\s@.<>()\[\],;:\\"]+)*"""
        r"""@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?"""
    )

    def _read(self, text: str) -> str:
        if len(text) > self.max_length or not self.pattern.fullmatch(text):
            raise self.problem(RowErrorCode.INVALID_EMAIL, "must be an address such as ann@example.com", text)
        return text


class Whole(Column[int]):
    """A whole number from `least` to `most`."""

    pattern: Final = re.compile(r"[+-]?[0-9]{1,18}")

    def __init__(self, least: int = 0, most: int = INT4_MAX, *, required: bool = False) -> None:
        super().__init__(required=required)
        self.least = least
        self.most = most

    def _read(self, text: str) -> int:
        if not self.pattern.fullmatch(text):
            raise self.problem(RowErrorCode.INVALID_NUMBER, "must be a whole number such as 12", text)
        number = int(text)
        if not self.least <= number <= self.most:
            raise self.problem(RowErrorCode.OUT_OF_RANGE, f"must be from {self.least} to {self.most}", text)
        return number


class Amount(Column[Decimal]):
    """A decimal number that is not negative, and with `above_zero` not zero; kept exactly."""

    #: Also `1e-6`; the exponent's digits are few so that no number can grow huge.
    pattern: Final = re.compile(r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})(?:[eE][+-]?[0-9]{1,2})?")
    digits_before_point: Final = 20
    digits_after_point: Final = 18

    def __init__(self, *, above_zero: bool = False, required: bool = False) -> None:
        super().__init__(required=required)
        self.above_zero = above_zero

    def _read(self, text: str) -> Decimal:
        amount = parse_amount(text)
        if amount is None:
            raise self.problem(RowErrorCode.INVALID_NUMBER, "must be a decimal number such as 0.0125", text)
        if amount < 0 or (self.above_zero and not amount):
            least = "more than 0" if self.above_zero else "0 or more"
            raise self.problem(RowErrorCode.OUT_OF_RANGE, f"must be {least}", text)
        if not fits_amount(amount):
            digits = f"{self.digits_before_point} digits before the point and {self.digits_after_point} after it"
            raise self.problem(RowErrorCode.OUT_OF_RANGE, f"must have at most {digits}", text)
        return amount


class Time(Column[datetime]):
    """A time as RFC 3339 has it, in upper case; given in UTC, cut to microseconds."""

    pattern: Final = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
        r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    )

    def _read(self, text: str) -> datetime:
        try:
            if self.pattern.fullmatch(text):
                return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            # A day that the calendar does not have, or a year outside 1 to 9999: told like the rest.
            pass
        expected = "must be a time with offset such as 2026-03-01T10:00:00Z"
        raise self.problem(RowErrorCode.INVALID_TIME, expected, text)


def parse_amount(text: str) -> Decimal | None:
    """The number in decimal notation, None if it is none; -0 is 0."""
    if not Amount.pattern.fullmatch(text):
        return None
    amount = Decimal(text)
    return amount or amount.copy_abs()


def fits_amount(amount: Decimal) -> bool:
    """Whether the number has few enough digits on both sides of the point."""
    exponent = amount.as_tuple().exponent
    return amount.adjusted() < Amount.digits_before_point and -int(exponent) <= Amount.digits_after_point
