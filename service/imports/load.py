"""Load: one chunk is one transaction that merges its rows, stores what was refused and counted, and is fenced."""

from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from schemas.row_errors import RowError
from service.db.models import Chunk, Task
from service.errors import SourceChangedError
from service.imports.chunks import ClaimedChunk, finish_chunk, is_in_file_order
from service.imports.columns.read import ChunkText
from service.imports.formats.boundaries import digest_chunk
from service.imports.merge import Merged, Merging, Refusal, merge_rows
from service.imports.plan import ImportPlan
from service.imports.refused import store_refused
from service.imports.stop import stop_if_too_many
from service.imports.validate import Validated, validate_chunk
from service.tracking.counters import Counters
from service.tracking.workbench import Workbench


def load_chunk(bench: Workbench, claimed: ClaimedChunk) -> None:
    """Load the rows of a claimed chunk, once: a chunk that was taken away meanwhile is rolled back.

    Where all rows are kept or undone together, they are only validated here. Raises FencedError when
    the chunk was taken away, SourceChangedError when the stored bytes are not those that were fetched.
    """
    task, chunk = claimed.task, claimed.chunk
    plan = ImportPlan.of(task, bench.settings)
    text = read_chunk(bench, plan, task, chunk)
    validated = validate_chunk(plan.schema, text, plan.options.blank)
    with bench.sessions.begin() as session:
        # Rows and chunk are lost together or not at all, so a crash of the server only has the chunk loaded again.
        # What ends the task waits for the disk, and for all that was written before it.
        session.execute(sql_text("SET LOCAL synchronous_commit = off"))
        merged = Merged(Counters()) if plan.options.is_whole else _merge(session, plan, task, validated)
        errors = [*validated.errors, *place_refusals(text, merged.refusals)]
        codes = store_refused(session, task.id, chunk.number, text, errors, plan.own_ids)
        finish_chunk(session, chunk, _total(validated, merged), codes)
        stop_if_too_many(session, task, plan.options)


def read_chunk(bench: Workbench, plan: ImportPlan, task: Task, chunk: Chunk) -> ChunkText:
    """The stored bytes of a chunk; raises SourceChangedError when they are not those that were fetched."""
    data = bench.store.open_range(str(task.source_key), chunk.byte_start, chunk.byte_end)
    if digest_chunk(data) != chunk.checksum:
        raise SourceChangedError(rows=f"{chunk.first_row} to {chunk.first_row + chunk.row_count - 1}")
    return ChunkText(data, plan.reading, chunk.first_row, chunk.first_line)


def place_refusals(text: ChunkText, refusals: list[Refusal]) -> list[RowError]:
    """What the table refused as row errors, with the lines where the rows stand."""
    records = text.pick(sorted({refusal.row for refusal in refusals}))
    lines = {record.number: record.line for record in records}
    return [RowError(r.row, lines[r.row], r.column, r.code, r.value, r.message) for r in refusals]


def _merge(session: Session, plan: ImportPlan, task: Task, validated: Validated) -> Merged:
    merging = Merging(task, plan.options, in_file_order=is_in_file_order(task.entity_type, plan.options.mode))
    return merge_rows(session, merging, validated.table)


def _total(validated: Validated, merged: Merged) -> Counters:
    """A row with several errors is one refused row."""
    refused = len({error.row for error in validated.errors})
    counters = merged.counters
    return Counters(counters.created, counters.updated, counters.skipped, counters.rejected + refused)
