"""The formats of an export object: its names, and how PostgreSQL writes its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from psycopg import sql

from schemas.export_options import Compression
from schemas.vocabulary import FileType
from service.exports.query import Blocks, ExportQuery

#: Text that PostgreSQL writes as JSON holds no raw control characters, so with these COPY changes nothing of it.
_AS_IT_IS = sql.SQL("FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01'")

_EXTENSIONS = {Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}
_PACKED_TYPES = {Compression.GZIP: "application/gzip", Compression.ZSTD: "application/zstd"}


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of rows is laid out. Rows stand between `opening` and `closing`, which are as good as no rows.

    Where rows are joined by `joiner`, each is written with it before it, and that of the first is left out.
    """

    file_type: FileType
    compression: Compression
    extension: str
    content_type: str
    opening: bytes = b""
    joiner: bytes = b""
    closing: bytes = b""

    @property
    def is_one_stream(self) -> bool:
        """Whether only one writer can make the file, from its first byte to its last."""
        return self.file_type is FileType.PARQUET

    def copy(self, query: ExportQuery, blocks: Blocks | None = None) -> sql.Composed:
        """The COPY that writes the rows, each of them as one message of the protocol."""
        match self.file_type:
            case FileType.CSV:
                rows = query.select(blocks, times_as_text=True)
                return _copy_cells(query, rows if len(query.columns) > 1 else _without_null(query.columns[0], rows))
            case FileType.PARQUET:
                return _copy_cells(query, query.select(blocks))
            case FileType.JSON | FileType.NDJSON:
                return _copy_objects(query, query.select(blocks), self.joiner)


_CONTENT_TYPES: Mapping[FileType, str] = MappingProxyType(
    {
        FileType.CSV: "text/csv; charset=utf-8",
        FileType.JSON: "application/json",
        FileType.NDJSON: "application/x-ndjson",
        FileType.PARQUET: "application/vnd.apache.parquet",
    }
)


def find_format(file_type: FileType, compression: Compression, columns: tuple[str, ...]) -> Format:
    """The format of a file with these columns."""
    extension, content_type = f".{file_type.lower()}", _CONTENT_TYPES[file_type]
    if file_type is not FileType.PARQUET:
        extension += _EXTENSIONS.get(compression, "")
        content_type = _PACKED_TYPES.get(compression, content_type)
    # A header by COPY would come with every range of the rows.
    opening = f"{','.join(columns)}\n".encode() if file_type is FileType.CSV else b""
    if file_type is FileType.JSON:
        return Format(file_type, compression, extension, content_type, opening=b"[", joiner=b",", closing=b"]\n")
    return Format(file_type, compression, extension, content_type, opening=opening)


def _copy_cells(query: ExportQuery, rows: sql.Composed) -> sql.Composed:
    quoted = sql.SQL(", ").join(map(sql.Identifier, query.free_texts))
    forced = sql.SQL(", FORCE_QUOTE ({})").format(quoted) if query.free_texts else sql.SQL("")
    return sql.SQL("COPY ({}) TO STDOUT (FORMAT csv{})").format(rows, forced)


def _without_null(column: str, rows: sql.Composed) -> sql.Composed:
    """Nothing as an empty text, which is quoted: alone in its line it would be a blank line, and lost on readers."""
    return sql.SQL("SELECT COALESCE({0}::text, '') AS {0} FROM ({1}) AS found").format(sql.Identifier(column), rows)


def _copy_objects(query: ExportQuery, rows: sql.Composed, joiner: bytes) -> sql.Composed:
    items = [
        sql.SQL("{0}::text AS {0}" if name in query.amounts else "{0}").format(sql.Identifier(name))
        for name in query.columns
    ]
    before = sql.SQL("{} || ").format(sql.Literal(joiner.decode())) if joiner else sql.SQL("")
    row = sql.SQL("{}row_to_json(listed)::text").format(before)
    return sql.SQL("COPY (SELECT {} FROM (SELECT {} FROM ({}) AS found) AS listed) TO STDOUT ({})").format(
        row, sql.SQL(", ").join(items), rows, _AS_IT_IS
    )
