"""The file of refused rows: written when an import ends, in the order of its source, to be mended and sent again."""

from collections.abc import Callable, Iterator

from sqlalchemy import delete, select

from schemas.vocabulary import ChunkState
from service.db.models import Chunk, RefusedRows, Task
from service.imports.formats.read import split_records
from service.imports.formats.source_format import Layout
from service.imports.load import read_chunk
from service.imports.plan import ImportPlan
from service.imports.refused import NEVER_REACHED, read_refused, render_header, render_record
from service.tracking.workbench import Workbench

_NOT_LOADED = "the import was stopped before this row"


def write_refused_file(bench: Workbench, plan: ImportPlan, task: Task, progress: Callable[[], None]) -> str | None:
    """Write the refused rows of all chunks, and those of chunks that were never loaded; gives the object's key.

    None when there is no such row. Calls `progress` with each chunk.
    """
    with bench.sessions() as session:
        chunks = session.scalars(select(Chunk).where(Chunk.task_id == task.id).order_by(Chunk.number)).all()
    # Where all rows are kept or undone together none was reached.
    kept = [c for c in chunks if c.rejected_records or not (plan.options.is_whole or c.state == ChunkState.LOADED)]
    if not kept:
        return None
    extension, content_type = _KINDS[plan.reading.format.layout]
    key = f"refused/{task.id}/{task.attempt}.{extension}"
    with bench.write_object(task, key, content_type) as writer:
        writer.write(_header(bench, plan, task, chunks[0]))
        for chunk in kept:
            progress()
            for piece in _pieces(bench, plan, task, chunk):
                writer.write(piece)
        writer.complete()
    return key


def forget_refused(bench: Workbench, task: Task) -> None:
    """The rows are in the file now."""
    with bench.sessions.begin() as session:
        session.execute(delete(RefusedRows).where(RefusedRows.task_id == task.id))


_KINDS = {
    Layout.CSV: ("csv", "text/csv"),
    Layout.JSON: ("ndjson", "application/x-ndjson"),
    Layout.NDJSON: ("ndjson", "application/x-ndjson"),
}


def _header(bench: Workbench, plan: ImportPlan, task: Task, first: Chunk) -> bytes:
    """The source's own header as it stands there, ours in front."""
    if plan.reading.format.layout is not Layout.CSV:
        return b""
    start = bench.store.open_range(str(task.source_key), 0, first.byte_start).removeprefix(b"\xef\xbb\xbf")
    record = next(iter(split_records(start, plan.reading.format, 0, 1)))
    return render_header(plan.reading.format, record.raw, plan.own_ids)


def _pieces(bench: Workbench, plan: ImportPlan, task: Task, chunk: Chunk) -> Iterator[bytes]:
    if chunk.rejected_records:
        with bench.sessions() as session:
            yield read_refused(session, task.id, chunk.number)
        return
    text = read_chunk(bench, plan, task, chunk)
    for record in split_records(text.data, plan.reading.format, text.first_row, text.first_line):
        yield render_record(record, plan.reading.format, NEVER_REACHED, _NOT_LOADED, plan.own_ids)
