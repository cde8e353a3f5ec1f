"""The dialect once more, one byte at a time: slow, and plain enough to be believed."""

from dataclasses import dataclass, field


@dataclass
class SlowRecord:
    """A record: the physical line and the byte where it starts, where it ends, and its cells."""

    line: int
    start: int
    end: int = 0
    cells: list[bytes] = field(default_factory=list)


class UnclosedQuoteError(Exception):
    """The text has ended inside quotes."""


def read_slowly(text: bytes, delimiter: bytes = b",", quote: bytes = b'"') -> list[SlowRecord]:
    """Every record of the text that is not a blank line; raises UnclosedQuoteError."""
    records: list[SlowRecord] = []
    position, line = 0, 1
    while position < len(text):
        record = read_record(text, position, line, delimiter, quote)
        if text[record.start : record.end] not in {b"\n", b"\r\n", b"\r"}:
            records.append(record)
        line += text.count(b"\n", record.start, record.end)
        position = record.end
    return records


def read_record(text: bytes, position: int, line: int, delimiter: bytes, quote: bytes) -> SlowRecord:
    """The record that starts at `position`."""
    record = SlowRecord(line, position)
    while True:
        cell, position = read_field(text, position, delimiter, quote)
        record.cells.append(cell)
        ending = line_ending_at(text, position)
        if ending is not None:
            record.end = position + len(ending)
            return record
        position += len(delimiter)


def read_field(text: bytes, position: int, delimiter: bytes, quote: bytes) -> tuple[bytes, int]:
    """The cell that starts at `position`, and where it ends: at a delimiter or a line ending."""
    while text[position : position + 1] in {b" ", b"\t", b"\v", b"\f"} - {delimiter}:
        position += 1
    if text[position : position + 1] == quote:
        return read_quoted(text, position + 1, delimiter, quote)
    cell = b""
    while not ends_field(text, position, delimiter):
        cell += text[position : position + 1]
        position += 1
    return cell, position


def read_quoted(text: bytes, position: int, delimiter: bytes, quote: bytes) -> tuple[bytes, int]:
    """The cell whose opening quote stands before `position`, and where its field ends."""
    cell = b""
    while position < len(text):
        byte = text[position : position + 1]
        position += 1
        if byte == quote and text[position : position + 1] == quote:
            position += 1
        elif byte == quote and ends_field(text, position, delimiter):
            return cell, position
        cell += byte
    raise UnclosedQuoteError


def ends_field(text: bytes, position: int, delimiter: bytes) -> bool:
    """Whether a delimiter or a line ending stands here."""
    return text[position : position + 1] == delimiter or line_ending_at(text, position) is not None


def line_ending_at(text: bytes, position: int) -> bytes | None:
    r"""The line ending that starts here: LF, CRLF, a CR at the end of the text, or the end of the text itself."""
    rest = text[position : position + 2]
    if rest[:1] == b"\n":
        return b"\n"
    return rest if rest in {b"\r\n", b"\r", b""} else None
