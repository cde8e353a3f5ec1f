"""The kinds of options that callers give: each turns one value of JSON into what it means, or says what is wrong."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields

from schemas.base import told

BIGINT_MAX = 2**63 - 1

#: The value that a given one means; None for what is none.
Read = Callable[[Any], Any]


class Option(fields.Raw):
    """One option; null is as good as absent."""

    def __init__(self, kind: str, read: Read, expected: str, meaning: dict[str, Any]) -> None:
        super().__init__(allow_none=True, metadata={**meaning, "type": kind})
        self._read = read
        self._expected = expected

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        meant = self._read(value)
        if meant is None:
            found = repr(value) if isinstance(value, str) else json.dumps(value)
            raise ValidationError(f"{found:.100} is not {self._expected}.")
        return meant


def word_option(words: type[StrEnum] | tuple[str, ...], description: str, example: str) -> Option:
    """One word of a closed set."""
    listed = [str(word) for word in words]
    meaning = told(description, example, enum=[*listed, None])
    return Option("string", lambda value: value if value in listed else None, f"one of {', '.join(listed)}", meaning)


def flag_option(description: str) -> Option:
    """True or false."""
    meaning = told(description, example=False)
    return Option("boolean", lambda value: value if isinstance(value, bool) else None, "true or false", meaning)


def read_count(value: Any) -> int | None:
    """A whole number as JSON has it: 7.0 is one, "7" and true are none."""
    is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    return int(value) if is_whole and 0 <= value <= BIGINT_MAX else None
