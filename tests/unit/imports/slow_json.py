"""The structure of a JSON array once more, one byte at a time."""

from dataclasses import dataclass

WHITE_SPACE = b" \t\r\n"


@dataclass(frozen=True)
class SlowValue:
    """What stands between two commas of the array, without white space, and the line where it starts."""

    line: int
    raw: bytes


class NoArrayError(Exception):
    """The array does not end, or something stands behind it."""


def read_array_slowly(text: bytes) -> list[SlowValue]:
    """The values of an array that begins with the first byte; raises NoArrayError."""
    values: list[bytes] = []
    starts: list[int] = []
    depth, in_string, backslashes, start = 0, False, 0, 1
    for place in range(len(text)):
        byte = text[place : place + 1]
        is_quote = byte == b'"' and backslashes % 2 == 0
        backslashes = backslashes + 1 if byte == b"\\" else 0
        in_string ^= is_quote
        if in_string or is_quote:
            continue
        depth += (byte in {b"[", b"{"}) - (byte in {b"]", b"}"})
        if (byte == b"," and depth == 1) or depth == 0:
            values.append(text[start:place])
            starts.append(start)
            start = place + 1
        if depth == 0:
            if byte != b"]" or text[place + 1 :].strip(WHITE_SPACE):
                raise NoArrayError
            return _without_nothing([_value(text, *part) for part in zip(starts, values, strict=True)])
    raise NoArrayError


def _value(text: bytes, start: int, value: bytes) -> SlowValue:
    begin = start + len(value) - len(value.lstrip(WHITE_SPACE))
    return SlowValue(1 + text.count(b"\n", 0, begin), value.strip(WHITE_SPACE))


def _without_nothing(values: list[SlowValue]) -> list[SlowValue]:
    return [] if len(values) == 1 and not values[0].raw else values
