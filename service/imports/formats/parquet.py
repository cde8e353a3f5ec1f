"""Parquet files as JSON lines, read from the store in small ranges and bounded memory."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import isnan
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.json_text import to_json
from service.errors import SourceRefusedError
from service.source.decompress import InflateLimit

MIB = 1024 * 1024
#: Few, since a few bytes can say that a long text comes again and again.
_ROWS_AT_ONCE = 64
#: A row group is read page by page, but a page may be as large as its column.
ROW_GROUP_MAX_BYTES = 512 * MIB
_BUFFER_BYTES = 256 * 1024
#: What a footer's texts and lists may be long: a file of 1,000 columns and 10,000 row groups fits.
_FOOTER_TEXT_BYTES = 64 * MIB
_FOOTER_ITEMS = 10_000_000

_LINE_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE

ReadRange = Callable[[int, int], bytes]


class RangedFile(io.RawIOBase):
    """An object of the store as a file that is read in ranges, each fetched when it is asked for."""

    def __init__(self, read_range: ReadRange, size_bytes: int) -> None:
        """`read_range` gives the bytes from a start to before an end."""
        self._read_range = read_range
        self._size_bytes = size_bytes
        self._place = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size_bytes}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer only at the end."""
        left = max(0, self._size_bytes - self._place)
        size = left if size < 0 else min(size, left)
        if not size:
            return b""
        block = self._read_range(self._place, self._place + size)
        self._place += len(block)
        return block


def parquet_lines(read_range: ReadRange, size_bytes: int, columns_max: int) -> Iterator[bytes]:
    """The rows of a Parquet file as JSON lines, in blocks.

    Raises SourceRefusedError for a file that is damaged, has too many columns or too large row groups,
    grows as a bomb does, or holds binary values that are no text.
    """
    try:
        yield from _read_lines(RangedFile(read_range, size_bytes), size_bytes, columns_max)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        message = "The Parquet file is damaged, or of a kind that cannot be read; write it anew and create a new task"
        raise SourceRefusedError(message) from error


def _read_lines(file: RangedFile, size_bytes: int, columns_max: int) -> Iterator[bytes]:
    parquet = pq.ParquetFile(
        file,
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=_FOOTER_TEXT_BYTES,
        thrift_container_size_limit=_FOOTER_ITEMS,
    )
    _check_shape(parquet, columns_max)
    limit = InflateLimit()
    given_bytes = 0
    types = pa.schema([field.with_type(_readable_type(field.type)) for field in parquet.schema_arrow])
    # Orjson writes infinity as null, and that would be lost in silence.
    to_line = _exact_line if any(_holds_floats(kind) for kind in types.types) else _fast_line
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
        readable = batch if batch.schema.equals(types) else batch.cast(types, safe=False)
        block = b"".join(map(to_line, readable.to_pylist(maps_as_pydicts="lossy")))
        given_bytes += len(block)
        if given_bytes > limit.free_bytes and given_bytes > limit.ratio * size_bytes:
            message = f"The Parquet file grows to more than {limit.ratio} times its size; send the rows as CSV"
            raise SourceRefusedError(message)
        yield block
    if not given_bytes:
        # An empty file would be none at all; this is an import of nothing.
        yield b"[]"


def _readable_type(kind: pa.DataType) -> pa.DataType:
    """The type in which Python can hold its values: microseconds, and UTC where there is a time zone."""
    types, readable = pa.types, kind
    if types.is_timestamp(kind):
        readable = pa.timestamp("us", tz="UTC" if kind.tz else None)
    elif types.is_time64(kind):
        readable = pa.time64("us")
    elif types.is_duration(kind):
        readable = pa.duration("us")
    elif types.is_struct(kind):
        readable = pa.struct([field.with_type(_readable_type(field.type)) for field in kind])
    elif types.is_map(kind):
        readable = pa.map_(_readable_type(kind.key_type), _readable_type(kind.item_type))
    elif types.is_list(kind) or types.is_large_list(kind):
        readable = pa.large_list(_readable_type(kind.value_type))
    return readable


def _check_shape(parquet: pq.ParquetFile, columns_max: int) -> None:
    columns = len(parquet.schema_arrow)
    if columns > columns_max:
        message = f"The Parquet file has {columns} columns, the limit is {columns_max} (WHARF_COLUMNS_MAX)"
        raise SourceRefusedError(message)
    for place in range(parquet.metadata.num_row_groups):
        group_bytes = parquet.metadata.row_group(place).total_byte_size
        if not 0 <= group_bytes <= ROW_GROUP_MAX_BYTES:
            message = (
                f"Row group {place + 1} of the Parquet file is {group_bytes // MIB} MiB large, the limit is "
                f"{ROW_GROUP_MAX_BYTES // MIB} MiB; write it with smaller row groups"
            )
            raise SourceRefusedError(message)


def _holds_floats(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or any(_holds_floats(kind.field(place).type) for place in range(kind.num_fields))


def _exact_line(row: dict[str, Any]) -> bytes:
    return to_json(_json_value(row)).encode() + b"\n"


def _fast_line(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=_fragment, option=_LINE_OPTIONS)
    except orjson.JSONEncodeError:
        # It hides what went wrong in `_fragment`; the slow way says it.
        return _exact_line(row)


def _fragment(value: Any) -> orjson.Fragment:
    """What orjson does not write by itself."""
    return orjson.Fragment(to_json(_json_value(value)))


def _json_value(value: Any) -> Any:  # noqa: PLR0911  # one for each kind
    """A value as JSON has it: times as RFC 3339 in UTC, decimals as exact numbers, NaN as null."""
    match value:
        case float():
            return None if isnan(value) else value
        case datetime():
            return f"{(value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()}Z"
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return _decode(value)
        case dict():
            return {str(key): _json_value(item) for key, item in value.items()}
        case list():
            return [_json_value(item) for item in value]
        case _:
            return value


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        message = "The Parquet file holds binary values that are not UTF-8 text; write them as text, or leave them out"
        raise SourceRefusedError(message) from error
