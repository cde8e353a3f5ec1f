"""Another go at a finished import: all of it, or the rows that it refused, by a task of its own."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from schemas.new_tasks import RetryScope
from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.access import Principal
from service.api.given import DIALECT, read_given, refuse_dialect
from service.api.new_tasks import find_bucket, find_upload
from service.db.models import Task
from service.errors import ValidationError
from service.tracking.lifecycle import NewTask, find_task

#: Options that a retry of refused rows does not take over: how the first file was written, and what it was for.
_NOT_KEPT = {*DIALECT, "dry_run", "atomic"}


def check_retry(body: dict[str, Any]) -> RetryScope:
    """What is to be done again; raises ValidationError with the field, the value and the remedy."""
    message = "Invalid request format"
    if body["scope"] not in list(RetryScope):
        raise ValidationError(message, scope=[f"{body['scope']!r:.100} is not one of {', '.join(RetryScope)}."])
    scope = RetryScope(body["scope"])
    if body["upload_id"] and scope is RetryScope.ALL:
        told = "All is read from the same source again; create a new task to import another file."
        raise ValidationError(message, upload_id=[told])
    return scope


def plan_retry(
    session: Session, principal: Principal, task_id: str, scope: RetryScope, body: dict[str, Any]
) -> NewTask:
    """The task that does it again.

    Raises NotFoundError, or ValidationError when the task is no finished import or has nothing to be done again.
    """
    parent = find_task(session, principal.scope_id, task_id)
    _check_parent(parent)
    if scope is RetryScope.ALL:
        return _retry_all(session, principal, parent, body)
    return _retry_rejected(session, principal, parent, body)


def _check_parent(parent: Task) -> None:
    message = "This task cannot be retried"
    if parent.task_type != TaskType.IMPORT:
        raise ValidationError(message, task_type=parent.task_type, remedy="create the export again")
    if parent.state in {TaskState.PENDING, TaskState.PROCESSING}:
        raise ValidationError(message, task_status=parent.state, remedy="wait until it is COMPLETED or FAILED")


def _retry_all(session: Session, principal: Principal, parent: Task, body: dict[str, Any]) -> NewTask:
    """The same source: a plan, an upload, a link, or rows that the parent itself had from another task."""
    child = _child(parent, FileType(parent.file_type), parent.options or {}, body)
    child = replace(
        child,
        file_url=parent.file_url,
        connection_id=parent.connection_id,
        upload_id=parent.upload_id,
        plan_id=parent.plan_id,
    )
    if parent.plan_id or parent.file_url:
        return find_bucket(session, principal, child)
    return find_upload(session, principal, child) if parent.upload_id else replace(child, source_key=parent.source_key)


def _retry_rejected(session: Session, principal: Principal, parent: Task, body: dict[str, Any]) -> NewTask:
    """The refused rows as they are stored, or a corrected upload."""
    _check_written(parent)
    file_type = _refused_type(parent)
    kept = {name: value for name, value in (parent.options or {}).items() if name not in _NOT_KEPT}
    if body["upload_id"]:
        child = _child(parent, file_type, kept, body)
        return find_upload(session, principal, replace(child, upload_id=body["upload_id"]))
    if parent.refused_key is None:
        message = "This task cannot be retried"
        raise ValidationError(message, scope=["The task has no refused rows; use all, or name an upload_id."])
    dialect = _stored_dialect(parent, file_type)
    child = _child(parent, file_type, {**kept, **dialect}, body)
    refuse_dialect(child.options, dialect, "The refused rows are stored as they are")
    return replace(child, source_key=parent.refused_key)


def _check_written(parent: Task) -> None:
    """Raise ValidationError where the good rows have not gone in either: the refused ones would leave them out."""
    options = parent.options or {}
    message = "This task cannot be retried"
    if options.get("dry_run"):
        told = "The task was a dry run, which writes no row; load its plan_id, or create a task with the mended file."
        raise ValidationError(message, scope=[told])
    if options.get("atomic") and parent.state != TaskState.COMPLETED:
        told = "No row of the task went in; use all, or create a task with the whole file, mended."
        raise ValidationError(message, scope=[told])


def _refused_type(parent: Task) -> FileType:
    """Refused rows of a CSV file are kept as CSV, all others as lines of JSON."""
    layout = (parent.source_format or {}).get("layout", parent.file_type)
    return FileType.CSV if str(layout).upper() == FileType.CSV else FileType.NDJSON


def _stored_dialect(parent: Task, file_type: FileType) -> dict[str, str]:
    """How the file of refused rows is written: as the source was, but always in UTF-8."""
    if file_type is not FileType.CSV:
        return {"encoding": "utf-8"}
    found = parent.source_format or {}
    return {"delimiter": found.get("delimiter", ","), "quote": found.get("quote", '"'), "encoding": "utf-8"}


def _child(parent: Task, file_type: FileType, kept: dict[str, Any], body: dict[str, Any]) -> NewTask:
    entity_type = EntityType(parent.entity_type)
    given = read_given("options", body["options"], entity_type, file_type)
    return NewTask(
        TaskType.IMPORT,
        entity_type,
        file_type,
        file_name=parent.file_name,
        metadata=parent.metadata_,
        options={**kept, **(given or {})} or None,
        parent_task_id=parent.id,
    )
