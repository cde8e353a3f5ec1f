r"""The one definition of the CSV dialect, shared by the boundary finder and the reader.

docs/adr/0003-csv-dialect.md says what each construct means and where other readers differ. Every
pattern works on bytes, looks at each of them a bounded number of times and keeps no stack: nothing in
a file can make a match slow.

All of it rests on one observation: inside a quoted field a quote closes the field unless it is seen
to be followed by something that makes it data. So a body runs to the closing quote, or to the first
quote that what is visible so far does not decide, and means the same in the middle of a stream.
"""

import re
from functools import cache
from itertools import islice

from service.imports.formats.source_format import SourceFormat

_WHITE_SPACE = b" \t\v\f"
_BEFORE_BLANK_LINE = re.compile(rb"\n(?=\r?\n)")


def _many(*choices: bytes) -> bytes:
    """Any number of these, without going back.

    The last choice never matches. Before CPython 3.11.5 a possessive group ends where its failed last
    try had got to (python/cpython#106052), and this one fails where the try began.
    """
    return b"(?:" + b"|".join(choices) + b"|(?!))*+"


class Dialect:
    """What stands between cells and what cells are quoted with, one ASCII character each."""

    def __init__(self, delimiter: str = ",", quote: str = '"') -> None:
        """Compile the patterns; `make_dialect` keeps them."""
        self.delimiter = delimiter.encode()
        self.quote = quote.encode()
        #: What is cut before a field: white space that does not delimit.
        self.white_space = _WHITE_SPACE.replace(self.delimiter, b"")
        d, q = (rb"\x%02x" % ord(character) for character in (delimiter, quote))
        white_space = rb"[%b]*+" % self.white_space
        quote_as_data = rb"%b(?=[^%b%b\r\n]|\r[^\n])" % (q, q, d)
        body = _many(rb"[^%b]++" % q, q + q, quote_as_data)
        body_in_line = _many(rb"[^%b\n]++" % q, q + q, quote_as_data)
        plain = rb"[^%b%b\n][^%b\n]*+|" % (q, d, d)
        # The carriage return of the record's ending is seen as a part of its last field.
        field = rb"%b(?:%b%b%b\r?|%b)" % (white_space, q, body, q, plain)
        field_in_line = rb"%b(?:%b%b%b\r?|%b)" % (white_space, q, body_in_line, q, plain)
        self._opening_quote = re.compile(white_space + q)
        self._body_so_far = re.compile(body)
        self._closing_quote = re.compile(rb"%b(?:%b|\r?\n)" % (q, d))
        self._rest_of_field = re.compile(rb"[^%b\n]*+[%b\n]" % (d, d))
        self._fields_in_lines = re.compile(_many(rb"%b[%b\n]" % (field_in_line, d)))
        self._record = re.compile(rb"%b(?:%b%b)*+(?:\n|\Z)" % (field, d, field))
        self._cell = re.compile(rb"(?:\A|%b)%b(?:%b(%b)%b|(%b))" % (d, white_space, q, body, q, plain))

    def pass_opening_quote(self, text: bytes, start: int, end: int) -> int | None:
        """From the start of a field to behind the quote that opens it; None if none does before `end`."""
        opening = self._opening_quote.match(text, start, end)
        return opening.end() if opening else None

    def pass_body(self, text: bytes, start: int, end: int) -> int:
        """From inside a quoted field to its closing quote, or to the first one that is not decided before `end`."""
        body = self._body_so_far.match(text, start, end)
        return body.end() if body else start

    def is_closing_quote(self, text: bytes, start: int) -> bool:
        """Whether the quote that `pass_body` stopped at is seen to close its field."""
        return self._closing_quote.match(text, start) is not None

    def pass_rest_of_field(self, text: bytes, start: int, end: int) -> int | None:
        """From inside an unquoted field, or a closing quote, to the start of the next field; None if not in view."""
        rest = self._rest_of_field.match(text, start, end)
        return rest.end() if rest else None

    def pass_fields_in_lines(self, text: bytes, start: int, end: int) -> int:
        """From the start of a field over all that end before `end` and hold no line end, quoted or not.

        So every line end that was passed ends a record.
        """
        fields = self._fields_in_lines.match(text, start, end)
        return fields.end() if fields else start

    def find_record_end(self, text: bytes, start: int) -> int | None:
        """Where the record ends that starts at `start`, its line ending included; None if a quote stays open."""
        record = self._record.match(text, start)
        return record.end() if record else None

    def split_cells(self, record: bytes, most: int) -> list[bytes]:
        """The first `most` cells of a record that has no line ending any more."""
        if self.quote not in record:
            return [cell.lstrip(self.white_space) for cell in record.split(self.delimiter, most)[:most]]
        doubled = self.quote + self.quote
        return [
            (cell[1] or b"").replace(doubled, self.quote) if cell[2] is None else cell[2]
            for cell in islice(self._cell.finditer(record), most)
        ]


@cache
def make_dialect(delimiter: str = ",", quote: str = '"') -> Dialect:
    """The dialect of these two characters, compiled once."""
    return Dialect(delimiter, quote)


def dialect_of(source_format: SourceFormat) -> Dialect:
    """The dialect of a CSV source."""
    return make_dialect(source_format.delimiter, source_format.quote)


def count_blank_lines(text: bytes, start: int, stop: int) -> int:
    """How many blank lines follow a line end, seen from the line end at `start`."""
    return len(_BEFORE_BLANK_LINE.findall(text, start, stop))


def cut_ending(record: bytes) -> bytes:
    r"""The record without its line ending: LF, CRLF, or a CR at the end of the file; b"" is a blank line."""
    return record.removesuffix(b"\n").removesuffix(b"\r")
