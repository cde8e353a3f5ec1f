"""COPY of whole tables of text, rendered a column at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from service.db.copying import copying

_NULL = "\\N"
_ROWS_OF_A_PIECE = 5_000
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
    """The lines of COPY's text format, in pieces: the server reads one while the next is rendered."""
    for batch in rows.combine_chunks().to_batches(max_chunksize=_ROWS_OF_A_PIECE):
        yield _join([_escape(pc.cast(column, pa.string())) for column in batch.columns])


def _join(cells: list[pa.StringArray]) -> bytes:
    filled = [pc.fill_null(cell, _NULL) if cell.null_count else cell for cell in cells]
    ended = pc.binary_join_element_wise(filled[-1], "", "\n")
    joined = pc.binary_join_element_wise(*filled[:-1], ended, "\t")
    return memoryview(_text_of(joined)).tobytes()


def _escape(cells: pa.StringArray) -> pa.StringArray:
    """The cells as COPY reads them; a column is looked at as a whole first, since hardly one holds such a character."""
    text = _text_of(cells).to_pybytes()
    for character, escaped in _ESCAPES.items():
        if character.encode() in text:
            cells = pc.replace_substring(cells, character, escaped)
    return cells


def _text_of(cells: pa.StringArray) -> pa.Buffer:
    """The text of all cells, one after the other."""
    _, offsets, text = cells.buffers()
    places = np.frombuffer(offsets, np.int32)
    start = int(places[cells.offset])
    return text.slice(start, int(places[cells.offset + len(cells)]) - start) if text else pa.py_buffer(b"")
