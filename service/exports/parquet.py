"""Parquet files from the CSV that PostgreSQL writes, in bounded memory."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from schemas.export_options import Compression
from service.exports.query import ExportQuery

MIB = 1024 * 1024
#: Enough for readers to skip by, few enough to be held in memory.
_GROUP_BYTES = 4 * MIB
_CODECS = {Compression.NONE: "NONE", Compression.GZIP: "GZIP", Compression.ZSTD: "ZSTD"}


class ParquetEncoder:
    """Gathers rows to row groups and writes them; see Encoder.

    Times are times, whole numbers are numbers. Exact decimals are text, since one column of Parquet has one scale and
    a price's is part of it; JSON is text, as Parquet has no such type that readers agree about.
    """

    def __init__(self, write: Callable[[bytes], None], query: ExportQuery, compression: Compression) -> None:
        """Nothing is written before the first row group, or the end."""
        self._types = pa.schema([(name, _type_of(name, query)) for name in query.columns])
        self._tables: list[pa.Table] = []
        self._file = pa.PythonFile(_Output(write), mode="w")
        self._writer = pq.ParquetWriter(self._file, self._types, compression=_CODECS[compression])

    def add(self, block: bytearray) -> None:
        """See Encoder."""
        # Each block by itself: the reader takes several times the room of what it reads.
        self._tables.append(_read_text(block, self._types))
        if sum(table.nbytes for table in self._tables) >= _GROUP_BYTES:
            self._write_group()

    def finish(self) -> None:
        """See Encoder."""
        if self._tables:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(pa.concat_tables(self._tables))
        self._tables.clear()


class _Output(io.RawIOBase):
    """A file that can only grow."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._place = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, block: bytes) -> int:  # type: ignore[override]  # pyarrow gives bytes
        self._write(block)
        self._place += len(block)
        return len(block)


def _type_of(column: str, query: ExportQuery) -> pa.DataType:
    if column in query.times:
        return pa.timestamp("us", tz="UTC")
    return pa.int64() if column in query.whole_numbers else pa.string()


def _read_text(text: bytearray, types: pa.Schema) -> pa.Table:
    """The rows of COPY's CSV: what is not there is unquoted and empty, an empty text is quoted."""
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(text)),
        # A block of the reader must hold a row, and rows are of any length.
        pyarrow.csv.ReadOptions(column_names=types.names, use_threads=False, block_size=len(text) + 1),
        pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            timestamp_parsers=[pyarrow.csv.ISO8601],
        ),
    )
