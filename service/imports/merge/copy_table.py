"""COPY of whole tables of text, rendered a column at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from service.db.copying import copying

_NULL = "\\N"
#: What stands for itself in COPY's text format only where it is written so.
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_table(session: Session, name: str, rows: pa.Table) -> None:
    """Copy a table of text and whole numbers into the columns of the same names, null as NULL.

    The driver does it itself, so what it raises are its own errors, not SQLAlchemy's.
    """
    with copying(session, name, rows.column_names) as copy:
        for lines in copy_lines(rows):
            copy.write(lines)


def copy_lines(rows: pa.Table) -> Iterator[bytes]:
    """The lines of COPY's text format, in a few large pieces.

    Cells are joined as they are and looked at afterwards: hardly a table holds a character to escape.
    """
    for batch in rows.combine_chunks().to_batches():
        cells = [pc.cast(column, pa.string()) for column in batch.columns]
        lines = _join(cells)
        if not _is_unescaped(lines, batch):
            lines = _join([_escape(cell) for cell in cells])
        yield lines


def _join(cells: list[pa.StringArray]) -> bytes:
    filled = [pc.fill_null(cell, _NULL) if cell.null_count else cell for cell in cells]
    ended = pc.binary_join_element_wise(filled[-1], "", "\n")
    joined = pc.binary_join_element_wise(*filled[:-1], ended, "\t")
    _, offsets, text = joined.buffers()
    end = np.frombuffer(offsets, np.int32)[len(joined)]
    return memoryview(text)[:end].tobytes()


def _is_unescaped(lines: bytes, batch: pa.RecordBatch) -> bool:
    """Whether the joined cells hold none of the characters that mean something."""
    nulls = sum(column.null_count for column in batch.columns)
    separators = batch.num_rows * (batch.num_columns - 1)
    counts = (lines.count(b"\t"), lines.count(b"\n"), lines.count(b"\r"), lines.count(b"\\"))
    return counts == (separators, batch.num_rows, 0, nulls)


def _escape(cell: pa.StringArray) -> pa.StringArray:
    for character, escaped in _ESCAPES.items():
        cell = pc.replace_substring(cell, character, escaped)
    return cell
