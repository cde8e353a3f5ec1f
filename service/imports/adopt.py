"""A task that loads what a dry run has looked at: the stored bytes and the chunks of that plan become its own."""

from sqlalchemy import select

from schemas.entities import ENTITIES
from schemas.options import read_options
from schemas.vocabulary import EntityType
from service.db.models import Chunk, Task
from service.errors import SourceRefusedError
from service.imports.begin import begin_loading
from service.imports.formats.cutter import ChunkSpan
from service.imports.formats.header import check_header
from service.imports.formats.source_format import Layout, SourceFormat
from service.tracking.lifecycle import StoredSource
from service.tracking.workbench import Workbench


def adopt_plan(bench: Workbench, task: Task) -> None:
    """Plan the chunks of a task from those of its plan, whose source it shares; nothing is fetched.

    Raises SourceRefusedError when the plan or its bytes are gone, or cannot be loaded by the task's own options.
    """
    with bench.sessions() as session:
        plan = session.get(Task, task.plan_id)
        chunks = session.scalars(select(Chunk).where(Chunk.task_id == task.plan_id).order_by(Chunk.number)).all()
    if plan is None or plan.source_sha256 is None or bench.store.head(str(plan.source_key)) is None:
        message = f"The bytes of the plan {task.plan_id} are no longer kept; create a task with the file itself"
        raise SourceRefusedError(message)
    _check_header(task, plan)
    begin_loading(bench, task, _source(plan), [_span(chunk) for chunk in chunks])


def _check_header(task: Task, plan: Task) -> None:
    """The task's own options may ask for other columns than the dry run did."""
    if SourceFormat.from_json(plan.source_format).layout is Layout.CSV:
        entity_type = EntityType(task.entity_type)
        options = read_options(entity_type, task.options)
        check_header(ENTITIES[entity_type].schema_for(options.mode), tuple(plan.source_columns or ()), options)


def _source(plan: Task) -> StoredSource:
    return StoredSource(
        key=str(plan.source_key),
        sha256=plan.source_sha256 or b"",
        length_bytes=plan.source_bytes or 0,
        columns=tuple(plan.source_columns or ()),
        rows=plan.total_records or 0,
        format=plan.source_format or {},
    )


def _span(chunk: Chunk) -> ChunkSpan:
    return ChunkSpan(
        number=chunk.number,
        byte_start=chunk.byte_start,
        byte_end=chunk.byte_end,
        first_row=chunk.first_row,
        row_count=chunk.row_count,
        first_line=chunk.first_line,
        checksum=chunk.checksum,
    )
