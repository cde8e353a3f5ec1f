"""The refused rows of an import, kept as they stand in the source so that they can be mended and sent again.

Each chunk stores its own, in its transaction; Finish joins them to one object in the order of the source.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from schemas.entities.events import OWN_EVENT_ID
from schemas.row_errors import RowError
from service.db.models import RefusedRows
from service.imports.columns.read import ChunkText
from service.imports.formats.header import OWN_PREFIX
from service.imports.formats.read import Record
from service.imports.formats.source_format import Layout, SourceFormat
from service.imports.own_ids import own_id
from service.tracking.row_errors import store_row_errors

_NAMES = ("row", "line", "code", "message")
NEVER_REACHED = "never_reached"


def store_refused(
    session: Session, task_id: str, chunk: int, text: ChunkText, errors: list[RowError], own_ids: str | None
) -> Mapping[str, int] | None:
    """Store why rows of a chunk were refused, and the rows; gives the rows by code, None when all are good."""
    if not errors:
        return None
    ordered = sorted(errors, key=lambda error: error.row)
    content = b"".join(_render_refused(text, ordered, own_ids))
    session.execute(insert(RefusedRows).values(task_id=task_id, chunk=chunk, content=zlib.compress(content, 1)))
    return store_row_errors(session, task_id, ordered)


def _render_refused(text: ChunkText, errors: list[RowError], own_ids: str | None) -> Iterator[bytes]:
    """The refused rows of a chunk, errors given in their order, as the file of refused rows has them."""
    by_row = {row: list(group) for row, group in groupby(errors, key=lambda error: error.row)}
    for record in text.pick(list(by_row)):
        told = by_row[record.number]
        message = "; ".join(error.message for error in told)
        yield render_record(record, text.reading.format, told[0].code, message, own_ids)


def render_record(record: Record, source: SourceFormat, code: str, message: str, own_ids: str | None) -> bytes:
    """One row with our columns in front, so that whatever follows stays as it was, ragged or not."""
    values = [record.number, record.line, code, message]
    if own_ids is not None:
        values.append(own_id(own_ids, record.number))
    if source.layout is Layout.CSV:
        return _csv_cells(source, map(str, values)) + source.delimiter.encode() + record.raw + b"\n"
    return _json_object(record.raw, dict(zip(_names(own_ids), values, strict=True))) + b"\n"


def render_header(source: SourceFormat, header: bytes, own_ids: str | None) -> bytes:
    """The header of a file of refused rows: our columns, then the source's own."""
    if source.layout is not Layout.CSV:
        return b""
    return _csv_cells(source, _names(own_ids)) + source.delimiter.encode() + header + b"\n"


def read_refused(session: Session, task_id: str, chunk: int) -> bytes:
    """The rendered refused rows of a chunk."""
    stored = select(RefusedRows.content).where(RefusedRows.task_id == task_id, RefusedRows.chunk == chunk)
    return zlib.decompress(session.scalars(stored).one())


def _names(own_ids: str | None) -> list[str]:
    """Our columns; an event keeps the id that it has by its row, so that it is not counted twice when sent again."""
    names = [OWN_PREFIX + name for name in _NAMES]
    return names if own_ids is None else [*names, OWN_EVENT_ID]


def _csv_cells(source: SourceFormat, cells: Iterable[str]) -> bytes:
    quote = source.quote
    between = quote + source.delimiter + quote
    return f"{quote}{between.join([cell.replace(quote, quote * 2) for cell in cells])}{quote}".encode()


def _json_object(raw: bytes, ours: dict[str, object]) -> bytes:
    """The object with our keys first; what is no object stands in a key of its own."""
    text = raw.strip()
    told = json.dumps(ours, ensure_ascii=False).encode()
    if not _is_object(text):
        return json.dumps({**ours, OWN_PREFIX + "raw": raw.decode(errors="replace")}, ensure_ascii=False).encode()
    rest = text[1:].lstrip()
    return told[:-1] + (b"}" if rest == b"}" else b", " + rest)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
