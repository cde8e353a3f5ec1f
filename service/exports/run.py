"""An export from claim to finish: one snapshot, read by COPY, streamed into one object."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from schemas.base import format_instant
from schemas.vocabulary import EntityType, TaskType
from service.db.clock import now
from service.db.copying import driver_connection
from service.db.models import Scope, Task
from service.exports.formats import copy_csv
from service.exports.query import export_query
from service.storage.multipart import MultipartWriter
from service.tracking.keeper import LeaseKeeper
from service.tracking.lifecycle import ExportObject
from service.tracking.settle import settle_task
from service.tracking.workbench import Workbench


def run_export(bench: Workbench, task_id: str | None = None) -> bool:
    """Run one due export, the one named or the one due for longest; False when there was none.

    An export that was interrupted starts afresh: its object's key carries the attempt, so what a lost
    attempt still writes is never what the task shows.
    """
    task = bench.callbacks.claim(TaskType.EXPORT, bench.worker, task_id)
    if task is None:
        return False
    try:
        with bench.keep_lease(task) as keeper:
            bench.callbacks.exported(task, _write_object(bench, task, keeper))
    except Exception as error:  # noqa: BLE001  # every error ends in the task's row, or it would never end
        settle_task(bench.callbacks, task, error)
    return True


def _write_object(bench: Workbench, task: Task, keeper: LeaseKeeper) -> ExportObject:
    query = export_query(EntityType(task.entity_type))
    with _snapshot(bench) as (session, taken_at):
        key = _object_key(session, task)
        with bench.write_object(task, key, "text/csv; charset=utf-8") as writer:
            rows = _copy_rows(
                session,
                copy_csv(query).as_string(),
                {"scope_id": task.scope_id},
                writer,
                keeper,
            )
            written = writer.complete()
    manifest = {
        "rows": rows,
        "bytes": written.size_bytes,
        "sha256": written.sha256,
        "columns": list(query.columns),
        "snapshot_at": format_instant(taken_at),
    }
    return ExportObject(f"s3://{bench.settings.s3_bucket}/{key}", rows, manifest)


@contextmanager
def _snapshot(bench: Workbench) -> Iterator[tuple[Session, datetime]]:
    """A read-only transaction that sees the tables as they are at its first statement, and that moment.

    It is open while the store is written to, so it has time limits of its own: the keeper's stall
    limit ends the attempt, not the server.
    """
    with bench.sessions() as session:
        session.connection(
            execution_options={
                "isolation_level": "REPEATABLE READ",
                "postgresql_readonly": True,
            }
        )
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10min'"))
        yield session, session.scalars(select(now())).one()


def _copy_rows(
    session: Session,
    statement: str,
    parameters: dict[str, Any],
    writer: MultipartWriter,
    keeper: LeaseKeeper,
) -> int:
    """Stream a COPY into the object; gives the number of rows."""
    with driver_connection(session).cursor() as cursor:
        with cursor.copy(statement, parameters) as copy:
            done = 0
            for block in copy:
                writer.write(block)
                done += len(block)
                keeper.progress(done)
        return cursor.rowcount


def _object_key(session: Session, task: Task) -> str:
    """Unique to the attempt, and readable in the bucket."""
    scope = session.get_one(Scope, task.scope_id)
    entity = task.entity_type.lower()
    return f"{scope.tenant_id}/{scope.environment_id}/{entity}/{entity}-{task.id}-{task.attempt}.csv"
