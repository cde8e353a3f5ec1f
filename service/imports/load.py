"""Load: one chunk is one transaction that merges its rows, stores its row errors and counters, and is fenced."""

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType
from service.db.models import Chunk, Task
from service.errors import SourceChangedError
from service.imports.boundaries import digest_chunk
from service.imports.chunks import ClaimedChunk, finish_chunk
from service.imports.merge import Merged, merge_rows
from service.imports.read import read_rows
from service.imports.validate import Validated, validate_rows
from service.tracking.counters import Counters
from service.tracking.row_errors import store_row_errors
from service.tracking.workbench import Workbench


def load_chunk(bench: Workbench, claimed: ClaimedChunk) -> None:
    """Load the rows of a claimed chunk, once: a chunk that was taken away meanwhile is rolled back.

    Raises FencedError then, SourceChangedError when the stored bytes are not those that were fetched.
    """
    task, chunk = claimed.task, claimed.chunk
    validated = read_chunk(bench, task, chunk)
    with bench.sessions.begin() as session:
        merged = merge_rows(session, task, validated.rows) if validated.rows else Merged(Counters())
        store_row_errors(session, task.id, [*validated.errors, *merged.errors])
        finish_chunk(session, chunk, _total(validated, merged))


def read_chunk(bench: Workbench, task: Task, chunk: Chunk) -> Validated:
    """The rows of a chunk, valid or refused, from the stored bytes; raises SourceChangedError."""
    data = bench.store.open_range(str(task.source_key), chunk.byte_start, chunk.byte_end)
    if digest_chunk(data) != chunk.checksum:
        raise SourceChangedError(rows=f"{chunk.first_row} to {chunk.first_row + chunk.row_count - 1}")
    rows = read_rows(
        data,
        tuple(task.source_columns or ()),
        chunk.first_row,
        chunk.first_line,
        bench.settings,
    )
    return validate_rows(ENTITIES[EntityType(task.entity_type)], rows)


def _total(validated: Validated, merged: Merged) -> Counters:
    """A row with several errors is one refused row."""
    refused = len({error.row for error in validated.errors})
    counters = merged.counters
    return Counters(
        counters.created,
        counters.updated,
        counters.skipped,
        counters.rejected + refused,
    )
