r"""The one definition of the CSV dialect, shared by the boundary finder and the reader.

docs/adr/0003-csv-dialect.md says what each construct means and where other readers differ. Every
pattern works on bytes, looks at each of them a bounded number of times and keeps no stack: nothing in
a file can make a match slow.

All of it rests on one observation: inside a quoted field a quote closes the field unless it is seen
to be followed by something that makes it data. So BODY runs to the closing quote, or to the first
quote that what is visible so far does not decide, and means the same in the middle of a stream.
"""

import re
from itertools import islice

WHITE_SPACE = b" \t\v\f"


def _many(*choices: bytes) -> bytes:
    """Any number of these, without going back.

    The last choice never matches. Before CPython 3.11.5 a possessive group ends where its failed last
    try had got to (python/cpython#106052), and this one fails where the try began.
    """
    return b"(?:" + b"|".join(choices) + b"|(?!))*+"


_WHITE_SPACE = rb"[ \t\v\f]*+"
_QUOTE_AS_DATA = rb'"(?=[^",\r\n]|\r[^\n])'
_BODY = _many(rb'[^"]++', rb'""', _QUOTE_AS_DATA)
_BODY_IN_LINE = _many(rb'[^"\n]++', rb'""', _QUOTE_AS_DATA)
_PLAIN = rb'[^",\n][^,\n]*+|'
# The carriage return of the record's ending is seen as a part of its last field.
_FIELD = rb"%b(?:\"%b\"\r?|%b)" % (_WHITE_SPACE, _BODY, _PLAIN)
_FIELD_IN_LINE = rb"%b(?:\"%b\"\r?|%b)" % (_WHITE_SPACE, _BODY_IN_LINE, _PLAIN)

_OPENING_QUOTE = re.compile(_WHITE_SPACE + rb'"')
_BODY_SO_FAR = re.compile(_BODY)
_CLOSING_QUOTE = re.compile(rb'"(?:,|\r?\n)')
_REST_OF_FIELD = re.compile(rb"[^,\n]*+[,\n]")
_FIELDS_IN_LINES = re.compile(_many(_FIELD_IN_LINE + rb"[,\n]"))
_BEFORE_BLANK_LINE = re.compile(rb"\n(?=\r?\n)")
_RECORD = re.compile(rb"%b(?:,%b)*+(?:\n|\Z)" % (_FIELD, _FIELD))
_CELL = re.compile(rb"(?:\A|,)%b(?:\"(%b)\"|(%b))" % (_WHITE_SPACE, _BODY, _PLAIN))


def pass_opening_quote(text: bytes, start: int, end: int) -> int | None:
    """From the start of a field to behind the quote that opens it; None if none does before `end`."""
    opening = _OPENING_QUOTE.match(text, start, end)
    return opening.end() if opening else None


def pass_body(text: bytes, start: int, end: int) -> int:
    """From inside a quoted field to its closing quote, or to the first one that is not decided before `end`."""
    body = _BODY_SO_FAR.match(text, start, end)
    return body.end() if body else start


def is_closing_quote(text: bytes, start: int) -> bool:
    """Whether the quote that `pass_body` stopped at is seen to close its field."""
    return _CLOSING_QUOTE.match(text, start) is not None


def pass_rest_of_field(text: bytes, start: int, end: int) -> int | None:
    """From inside an unquoted field, or from a closing quote, to the start of the next field; None if not in view."""
    rest = _REST_OF_FIELD.match(text, start, end)
    return rest.end() if rest else None


def pass_fields_in_lines(text: bytes, start: int, end: int) -> int:
    """From the start of a field over all that end before `end` and hold no line end, quoted or not.

    So every line end that was passed ends a record.
    """
    fields = _FIELDS_IN_LINES.match(text, start, end)
    return fields.end() if fields else start


def count_blank_lines(text: bytes, start: int, stop: int) -> int:
    """How many blank lines follow a line end, seen from the line end at `start`."""
    return len(_BEFORE_BLANK_LINE.findall(text, start, stop))


def find_record_end(text: bytes, start: int) -> int | None:
    """Where the record ends that starts at `start`, its line ending included; None if a quote stays open."""
    record = _RECORD.match(text, start)
    return record.end() if record else None


def cut_ending(record: bytes) -> bytes:
    r"""The record without its line ending: LF, CRLF, or a CR at the end of the file; b"" is a blank line."""
    return record.removesuffix(b"\n").removesuffix(b"\r")


def split_cells(record: bytes, most: int) -> list[bytes]:
    """The first `most` cells of a record that has no line ending any more."""
    if b'"' not in record:
        return [cell.lstrip(WHITE_SPACE) for cell in record.split(b",", most)[:most]]
    cells = islice(_CELL.finditer(record), most)
    return [(quoted or b"").replace(b'""', b'"') if plain is None else plain for quoted, plain in map(_groups, cells)]


def _groups(cell: re.Match[bytes]) -> tuple[bytes | None, bytes | None]:
    return cell[1], cell[2]
