"""Imports taken from their submission to their end, and what they have left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from schemas.vocabulary import EntityType, FileType, TaskType
from service.access import ensure_scope
from service.db.models import Customer, Scope, StoredRowError, Task
from service.db.session import make_engine, make_sessions
from service.imports.run import run_imports
from service.tracking.callbacks import SqlCallbacks
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit


def submit_file(
    bench: Workbench,
    scope: Scope,
    entity: EntityType,
    content: str | bytes,
    file_type: FileType = FileType.CSV,
    **options: Any,
) -> Task:
    """An import of these bytes, uploaded already, with these options."""
    key = f"uploads/{uuid4().hex}"
    bench.store.put(key, content.encode() if isinstance(content, str) else content, "text/csv", {})
    new = NewTask(TaskType.IMPORT, entity, file_type, upload_id="upload_test", source_key=key, options=options or None)
    return submit(bench, scope, new)


def run(
    bench: Workbench,
    scope: Scope,
    entity: EntityType,
    content: str | bytes,
    file_type: FileType = FileType.CSV,
    **options: Any,
) -> Task:
    """The same, done to its end by one worker."""
    return run_to_end(bench, submit_file(bench, scope, entity, content, file_type, **options))


def run_to_end(bench: Workbench, task: Task) -> Task:
    """The task after all that one worker finds to do."""
    while run_imports(bench, task.id):
        pass
    return reload(bench, task)


def scope_of(bench: Workbench, tenant: str) -> Scope:
    """An environment of another tenant."""
    with bench.sessions.begin() as session:
        return ensure_scope(session, tenant, "env_a")


def with_chunks(bench: Workbench, chunk_bytes: int) -> Workbench:
    """The same with chunks that end behind the row that reaches this length: 1 is a chunk for each row."""
    return replace(bench, settings=replace(bench.settings, chunk_bytes=chunk_bytes))


@contextmanager
def another_worker(bench: Workbench, name: str) -> Iterator[Workbench]:
    """A worker with connections of its own."""
    engine = make_engine(bench.settings.database_url, name)
    sessions = make_sessions(engine)
    callbacks = SqlCallbacks(sessions, bench.settings.lease_seconds)
    yield replace(bench, sessions=sessions, callbacks=callbacks, worker=name)
    engine.dispose()


def counts(task: Task) -> tuple[int, int, int, int]:
    """The rows that were created, updated, skipped and rejected."""
    return task.created_records, task.updated_records, task.skipped_records, task.rejected_records


def column(bench: Workbench, wanted: Any, *order: Any) -> list[Any]:
    """One column of a table."""
    with bench.sessions() as session:
        return list(session.scalars(select(wanted).order_by(*order)))


def names(bench: Workbench) -> dict[str, str]:
    """The names of all customers."""
    with bench.sessions() as session:
        return {row.external_id: row.name for row in session.scalars(select(Customer))}


def errors(bench: Workbench, task: Task) -> list[tuple[int, str, str]]:
    """The row, the column and the code of each row error that is kept."""
    wanted = select(StoredRowError.row, StoredRowError.column, StoredRowError.code)
    ordered = wanted.where(StoredRowError.task_id == task.id).order_by(StoredRowError.row, StoredRowError.position)
    with bench.sessions() as session:
        return [(row, name, code) for row, name, code in session.execute(ordered)]


def refused_file(bench: Workbench, task: Task) -> str:
    """The file of refused rows; empty where there is none."""
    if task.refused_key is None:
        return ""
    return b"".join(bench.store.stream(task.refused_key, 1 << 20)).decode("utf-8", "surrogateescape")
