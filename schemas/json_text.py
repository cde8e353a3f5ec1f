"""JSON from outside, in a cell or a request: nothing that PostgreSQL or another reader could not take."""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isinf
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 64

Container = dict[str, Any] | list[Any]


class InvalidJsonError(ValueError):
    """The text is no JSON that can be stored; the message says why, to stand behind a column's name."""


def parse_json(text: str, read_float: Callable[[str], object] | None = None, *, characters: bool = True) -> object:
    r"""The value of a JSON text; of a key that comes twice the last counts, as in jsonb.

    Raises InvalidJsonError for all that RFC 8259 does not allow, and for what cannot be stored: more
    than 64 levels, numbers beyond a double (unless `read_float` reads them), and (unless `characters`
    are looked at later) `\u0000` and halves of surrogate pairs.
    """
    try:
        value = json.loads(text, parse_float=read_float or read_double, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidJsonError(f"is not valid JSON at character {error.pos + 1}") from error
    except RecursionError as error:
        raise InvalidJsonError(f"is nested more than {DEPTH_MAX} levels deep") from error
    except InvalidJsonError:
        raise
    except ValueError as error:
        raise InvalidJsonError("holds a whole number with too many digits") from error
    except ArithmeticError as error:
        # An exponent of more than 18 digits, which Decimal does not take.
        raise InvalidJsonError("holds a number that is too large") from error
    _check_nesting(value)
    # Raw text is UTF-8 without control characters already: only escapes can make such characters.
    if characters and "\\u" in text:
        check_characters(value)
    return value


def read_double(text: str) -> float:
    """The double that JSON's number stands for; raises InvalidJsonError where it is too large or too small for one."""
    number = float(text)
    is_lost = not number and any(digit in "123456789" for digit in text.lower().partition("e")[0])
    if isinf(number) or is_lost:
        raise InvalidJsonError("holds a number that does not fit a double")
    return number


def with_doubles(value: object) -> object:
    """The same with every Decimal as a double; raises InvalidJsonError where one does not fit."""
    match value:
        case Decimal():
            return read_double(str(value))
        case dict():
            return {key: with_doubles(item) for key, item in value.items()}
        case list():
            return [with_doubles(item) for item in value]
        case _:
            return value


def to_json(value: object) -> str:
    """A value as JSON text, exactly; a Decimal as it is written."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return "{" + ",".join(f"{_quote(key)}:{to_json(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(to_json, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _quote(key: object) -> str:
    return json.dumps(str(key), ensure_ascii=False)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJsonError(f"holds {name}, which is not JSON")


def _check_nesting(value: object) -> None:
    containers = _containers([value])
    for _ in range(DEPTH_MAX):
        if not containers:
            return
        containers = _containers(item for container in containers for item in _items(container))
    if containers:
        raise InvalidJsonError(f"is nested more than {DEPTH_MAX} levels deep")


def check_characters(value: object) -> None:
    """Raise InvalidJsonError when a string or a key in the value holds what cannot be stored as text."""
    open_values: list[object] = [value]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            open_values += value.keys()
        if isinstance(value, dict | list):
            open_values += _items(value)
        elif isinstance(value, str):
            _check_string(value)


def _containers(values: Iterable[object]) -> list[Container]:
    return [value for value in values if isinstance(value, dict | list)]


def _items(container: Container) -> list[Any]:
    return container if isinstance(container, list) else list(container.values())


def _check_string(text: str) -> None:
    if "\0" in text:
        raise InvalidJsonError("holds the character \\u0000, which cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidJsonError("holds half of a surrogate pair, which is no character") from error
