"""What a create body asks for, checked in the order of the contract: the first wrong thing is told."""

from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from schemas.vocabulary import EntityType, FileType, TaskType
from service.access import Principal
from service.api.given import read_given
from service.api.plans import follow_plan
from service.config import Settings
from service.connections.destinations import choose_destination, choose_source
from service.connections.places import is_place
from service.db.models import Upload
from service.errors import ValidationError
from service.source.guard import AddressGuard
from service.tracking.lifecycle import NewTask

Word = TypeVar("Word", bound=StrEnum)


def check_task(body: dict[str, Any], settings: Settings) -> NewTask:
    """The task that a create body describes; raises ValidationError with the field, the value and the remedy.

    It may take as long as a name server does, so it is no part of a transaction.
    """
    task_type = _word(TaskType, body, "task_type")
    entity_type = _word(EntityType, body, "entity_type")
    place = _import_source(body, settings) if task_type is TaskType.IMPORT else _export_destination(body)
    file_type = _word(FileType, body, "file_type")
    return NewTask(
        task_type,
        entity_type,
        file_type,
        file_name=body["file_name"],
        metadata=body["metadata"],
        options=_options(body, task_type, entity_type, file_type),
        **place,
    )


def _word(words: type[Word], body: dict[str, Any], field: str) -> Word:
    value = body[field]
    if value not in list(words):
        message = f"Invalid {field.replace('_', ' ')}"
        raise ValidationError(message, **{field: [f"{value!r:.100} is not one of {', '.join(words)}."]})
    return words(value)


def wants_run(body: dict[str, Any], new: NewTask) -> bool:
    """Whether the caller is a client that takes 200 with the run only: it sends an `upload_id`, if need be "".

    Clients of the other generation send a `file_url`, and may send "" beside it.
    """
    is_empty_upload = body["upload_id"] is not None and body["file_url"] is None
    return bool(body["upload_id"]) or (new.plan_id is not None and is_empty_upload)


def find_source(session: Session, principal: Principal, new: NewTask) -> NewTask:
    """The task with what its upload, its plan or its connection gives it.

    Raises ValidationError when they are not the caller's.
    """
    if new.plan_id is not None:
        new = follow_plan(session, principal.scope_id, new)
    elif new.upload_id is not None:
        new = find_upload(session, principal, new)
    return find_bucket(session, principal, new)


def find_bucket(session: Session, principal: Principal, new: NewTask) -> NewTask:
    """The task with the connection to the bucket that it reads or writes, where that is not the service's own.

    Raises ValidationError when the caller has none that leads there.
    """
    if new.plan_id is not None:
        # Its bytes are in the service's own bucket by now.
        return new
    if new.destination_url is not None:
        chosen = choose_destination(session, principal.scope_id, new.destination_url)
    elif is_place(new.file_url):
        chosen = choose_source(session, principal.scope_id, new.file_url)
    else:
        return new
    return replace(new, connection_id=chosen.connection.id)


def find_upload(session: Session, principal: Principal, new: NewTask) -> NewTask:
    """The task with the place of its upload; raises ValidationError when that is not the caller's."""
    upload = session.get(Upload, new.upload_id)
    if upload is None or upload.scope_id != principal.scope_id:
        message = "invalid upload_id"
        raise ValidationError(
            message,
            upload_id=[f"{new.upload_id!r:.150} is unknown; get one from POST /v1/uploads."],
        )
    return replace(new, source_key=upload.object_key, file_name=new.file_name or upload.file_name)


def _import_source(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Exactly one of file_url, upload_id and plan_id says where the bytes are."""
    message = "Invalid request format"
    url, upload_id = body["file_url"], body["upload_id"]
    plan_id = body["plan_id"] or (None if url or upload_id else _plan_in_metadata(body))
    named = [name for name, value in (("file_url", url), ("upload_id", upload_id), ("plan_id", plan_id)) if value]
    if len(named) > 1:
        raise ValidationError(message, **{named[0]: [f"Give either {' or '.join(named)}, not both."]})
    if upload_id:
        return {"upload_id": upload_id}
    if plan_id:
        return {"plan_id": plan_id}
    if url is None or url == "":
        raise ValidationError(message, file_url=["An IMPORT needs a file_url, an upload_id or a plan_id."])
    if not url.strip():
        message = "File URL cannot be empty"
        raise ValidationError(message, file_url=["Only white space."])
    if not is_place(url):
        AddressGuard(settings.allowed_hosts).admit(url.strip())
    return {"file_url": url.strip()}


def _plan_in_metadata(body: dict[str, Any]) -> str | None:
    """Only looked for where nothing else says where the bytes are: callers may keep a plan of their own there."""
    plan_id = (body["metadata"] or {}).get("plan_id")
    if plan_id is not None and not isinstance(plan_id, str):
        message = "Invalid request format"
        raise ValidationError(message, **{"metadata.plan_id": ["Must be a text: the plan_id of a dry run."]})
    return plan_id


def _options(
    body: dict[str, Any], task_type: TaskType, entity_type: EntityType, file_type: FileType
) -> dict[str, Any] | None:
    """The options of a body, or of its metadata for clients that can send them nowhere else."""
    message = "Invalid request format"
    inside = (body["metadata"] or {}).get("options")
    if inside is not None and body["options"] is not None:
        raise ValidationError(message, options=["Give either options or metadata.options, not both."])
    place, given = ("options", body["options"]) if inside is None else ("metadata.options", inside)
    return read_given(place, given, entity_type, file_type, task_type)


def _export_destination(body: dict[str, Any]) -> dict[str, Any]:
    """An export goes to the service's own bucket or to one of a connection.

    With an `upload_id`, which some clients cannot leave out, `file_url` means nothing.
    """
    if body["plan_id"]:
        message = "Invalid request format"
        raise ValidationError(message, plan_id=["A plan is loaded by an IMPORT; leave plan_id out."])
    url = (body["file_url"] or "").strip()
    if not url or body["upload_id"]:
        return {}
    if not is_place(url):
        message = "Invalid request format"
        told = (
            'Exports go to the service\'s own bucket, for which file_url is left out or "", or to s3://bucket/prefix '
            "of a connection."
        )
        raise ValidationError(message, file_url=[told])
    return {"destination_url": url}
