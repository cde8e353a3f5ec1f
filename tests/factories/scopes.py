"""Scopes with rows in every table, each of which carries texts that no other scope has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from schemas.vocabulary import ChunkState, EntityType, FileType, Phase, Role, RowStatus, TaskState, TaskType
from service.access import ensure_scope, new_key, store_key
from service.db.models import (
    Attempt,
    Chunk,
    Connection,
    Customer,
    Event,
    ExportAttempt,
    ExportPart,
    ExportRange,
    ExportStream,
    Feature,
    Meter,
    Price,
    RefusedRows,
    RowSetAside,
    Scope,
    StoredRowError,
    Task,
    Upload,
)
from service.ids import new_id, new_run_id, new_ulid
from service.tracking.task_counts import add_up_changes


class TaskKind(StrEnum):
    """What a scope's task may be and where it may stand."""

    WAITING_IMPORT = "waiting import"
    LOADING_IMPORT = "loading import"
    LOADED_IMPORT = "loaded import"
    FAILED_IMPORT = "failed import"
    PARTIAL_IMPORT = "partial import"
    PLAN = "plan"
    WAITING_EXPORT = "waiting export"
    READING_EXPORT = "reading export"
    FINISHED_EXPORT = "finished export"
    CANCELLED_EXPORT = "cancelled export"
    DELETED_EXPORT = "deleted export"


@dataclass
class FilledScope:
    """A scope, its API key, and its rows' public names. Its mark is in every text that people may write."""

    scope: Scope
    key: str
    user_id: str
    mark: str
    tasks: list[Task] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    @property
    def object_keys(self) -> list[str]:
        """The objects of its finished exports, and those of its refused rows."""
        exported = [task.file_url.split("/", 3)[3] for task in self.tasks if task.file_url]
        return [*exported, *(task.refused_key for task in self.tasks if task.refused_key)]


def fill_scope(
    session: Session, tenant: str, environment: str, role: Role, kinds: Sequence[TaskKind], bucket: str
) -> FilledScope:
    """A tenant's environment with a key, tasks of these kinds, and what belongs to them.

    Natural keys are the same in every scope.
    """
    scope, key = ensure_scope(session, tenant, environment), new_key()
    mark = f"mark_{new_ulid()}"
    user_id = store_key(session, scope, key, mark, role).user_id
    filled = FilledScope(scope, key, user_id, mark)
    filled.connections.append(_connection(filled))
    session.add_all(filled.connections)
    session.flush()
    for kind in kinds:
        _add_task(session, filled, kind, bucket)
        if len(filled.tasks) == 1:
            # Some counts are added up, the others wait for it.
            add_up_changes(session)
    session.add_all(_entities(filled, filled.tasks[0].serial))
    session.flush()
    return filled


def _add_task(session: Session, filled: FilledScope, kind: TaskKind, bucket: str) -> None:
    upload_id = new_id("upload")
    place = f"{filled.scope.tenant_id}/{filled.scope.environment_id}"
    upload = Upload(
        id=upload_id,
        scope_id=filled.scope.id,
        object_key=f"uploads/{place}/{upload_id}",
        file_name=f"{filled.mark}.csv",
        expires_at=_FUTURE,
    )
    task_id = new_id("task")
    task = Task(
        id=task_id,
        scope_id=filled.scope.id,
        entity_type=EntityType.CUSTOMERS,
        file_type=FileType.CSV,
        file_name=f"{filled.mark}.csv",
        metadata_={"mark": filled.mark},
        workflow_id=new_id("wf_TaskProcessingWorkflow"),
        run_id=new_run_id(),
        scheduled_task_id=new_id("schtask"),
        final_attempt=5,
        created_by=filled.user_id,
        updated_by=filled.user_id,
        **_STATES[kind](f"s3://{bucket}/{place}/{task_id}.csv", filled.mark),
    )
    if task.task_type == TaskType.IMPORT:
        task.upload_id, task.source_key = upload_id, upload.object_key
    session.add_all([upload, task])
    session.flush()
    session.add_all(_parts(task, kind, filled.mark))
    session.flush()
    filled.tasks.append(task)
    filled.uploads.append(upload)


_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
_IMPORT: dict[str, Any] = {"task_type": TaskType.IMPORT}
_EXPORT: dict[str, Any] = {"task_type": TaskType.EXPORT}
_FETCHED: dict[str, Any] = {**_IMPORT, "source_sha256": b"\1", "source_columns": ["external_id"], "total_records": 3}

#: The columns of each kind of task, given the link to its object and the mark.
_STATES: dict[TaskKind, Callable[[str, str], dict[str, Any]]] = {
    TaskKind.WAITING_IMPORT: lambda _link, _mark: _IMPORT,
    TaskKind.LOADING_IMPORT: lambda _link, _mark: {**_FETCHED, "state": TaskState.PROCESSING, "phase": Phase.LOADING},
    TaskKind.LOADED_IMPORT: lambda _link, _mark: {**_FETCHED, "state": TaskState.PROCESSING, "phase": Phase.LOADING},
    TaskKind.FAILED_IMPORT: lambda _link, mark: {
        **_FETCHED, "state": TaskState.FAILED, "phase": Phase.LOADING, "error_code": "x", "error_summary": mark,
    },
    TaskKind.PARTIAL_IMPORT: lambda _link, mark: {
        **_FETCHED, "state": TaskState.COMPLETED, "error_summary": mark, "rejected_records": 1, "created_records": 2,
        "options": {"mapping": {mark: "name"}}, "refused_key": f"refused/{mark}.csv",
        "source_format": {"layout": "csv", "delimiter": ";", "quote": '"'},
    },
    TaskKind.PLAN: lambda _link, mark: {
        **_FETCHED, "state": TaskState.COMPLETED, "created_records": 3,
        "options": {"dry_run": True, "constants": {"metadata.mark": mark}},
    },
    TaskKind.WAITING_EXPORT: lambda _link, _mark: _EXPORT,
    TaskKind.READING_EXPORT: lambda _link, mark: {
        **_EXPORT, "state": TaskState.PROCESSING, "attempt": 1, "worker": mark, "lease_expires_at": _FUTURE,
    },
    TaskKind.FINISHED_EXPORT: lambda link, mark: {
        **_EXPORT, "state": TaskState.COMPLETED, "file_url": link, "object_manifest": {"mark": mark},
    },
    TaskKind.CANCELLED_EXPORT: lambda _link, mark: {**_EXPORT, "state": TaskState.CANCELLED, "error_summary": mark},
    TaskKind.DELETED_EXPORT: lambda link, _mark: {
        **_EXPORT, "state": TaskState.COMPLETED, "file_url": link, "status": RowStatus.DELETED,
    },
}  # fmt: skip
_HAVE_OPEN_CHUNKS = {TaskKind.LOADING_IMPORT, TaskKind.FAILED_IMPORT}
_HAVE_CHUNKS = _HAVE_OPEN_CHUNKS | {TaskKind.LOADED_IMPORT, TaskKind.PARTIAL_IMPORT, TaskKind.PLAN}


def _parts(task: Task, kind: TaskKind, mark: str) -> list[Any]:
    """The rows that hang on a task of this kind."""
    states = [ChunkState.LOADED, *([ChunkState.LOADING, ChunkState.OPEN] if kind in _HAVE_OPEN_CHUNKS else [])]
    parts: list[Any] = [Attempt(task_id=task.id, number=1, worker=mark, error=mark)]
    if kind in _HAVE_CHUNKS:
        parts += [_chunk(task, number, state, mark) for number, state in enumerate(states)]
        parts.append(
            StoredRowError(
                task_id=task.id, row=2, position=1, column="name", line=3, code="required", value=mark, message=mark
            )
        )
        parts.append(RefusedRows(task_id=task.id, chunk=0, content=mark.encode()))
    if kind is TaskKind.READING_EXPORT:
        parts += _export_parts(task, mark)
    if kind in _HAVE_OPEN_CHUNKS:
        parts.append(RowSetAside(task_id=task.id, row=1, key="c-1", values={"name": mark}))
    return parts


def _export_parts(task: Task, mark: str) -> list[Any]:
    """What an attempt that others may help with leaves in SQL."""
    of_attempt: dict[str, Any] = {"task_id": task.id, "attempt": 1}
    return [
        ExportAttempt(**of_attempt, base=mark, object_key=f"{mark}.csv", upload_id=mark, snapshot=mark, parts=1),
        ExportStream(**of_attempt, number=0, worker=mark),
        ExportRange(**of_attempt, number=0, first_block=0, stream=0),
        ExportPart(**of_attempt, number=1, stream=0, etag=mark),
    ]


def _chunk(task: Task, number: int, state: ChunkState, mark: str) -> Chunk:
    return Chunk(
        task_id=task.id,
        number=number,
        state=state,
        worker=mark,
        lease_expires_at=_FUTURE if state is ChunkState.LOADING else None,
        byte_start=number * 10,
        byte_end=number * 10 + 10,
        first_row=number + 1,
        row_count=1,
        first_line=number + 2,
        checksum=b"\1",
        refused_codes={"required": 1} if number == 0 else None,
    )


def _connection(filled: FilledScope) -> Connection:
    """A connection that needs no store to be changed."""
    return Connection(
        id=new_id("conn"),
        scope_id=filled.scope.id,
        name=filled.mark,
        provider_type="s3",
        is_managed=True,
        bucket="",
        region="",
        key_prefix=f"{filled.scope.tenant_id}/{filled.scope.environment_id}/",
        use_path_style=False,
        metadata_={"mark": filled.mark},
        created_by=filled.user_id,
        updated_by=filled.user_id,
    )


def _entities(filled: FilledScope, import_id: int) -> list[Any]:
    """One of each thing that is imported."""
    mark, scope_id = filled.mark, filled.scope.id
    origin: dict[str, Any] = {"scope_id": scope_id, "import_id": import_id, "import_row": 1}
    meter = Meter(
        id=new_id("meter"), scope_id=scope_id, name=mark, event_name="e", aggregation_type="COUNT", reset_usage="NEVER"
    )
    return [
        meter,
        Customer(**origin, id=new_id("cust"), external_id="c-1", name=mark, metadata_={"mark": mark}),
        Feature(**origin, id=new_id("feat"), lookup_key="f-1", name=mark, type="metered", meter_id=meter.id),
        Event(
            **origin, event_id="e-1", event_name="e", external_customer_id="c-1", timestamp=_FUTURE,
            properties={"mark": mark},
        ),
        Price(
            **origin, id=new_id("price"), lookup_key="p-1", display_name=mark, entity_type="PLAN", entity_id="plan",
            type="FIXED", price_unit_type="FIAT", currency="usd", billing_model="FLAT_FEE", billing_period="MONTHLY",
            billing_period_count=1, invoice_cadence="ARREAR", start_date=_FUTURE,
        ),
    ]  # fmt: skip
