"""What a create body asks for, checked in the order of the contract: the first wrong thing is told."""

from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from schemas.vocabulary import EntityType, FileType, TaskType
from service.access import Principal
from service.config import Settings
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
    place: dict[str, Any] = {}
    if task_type is TaskType.IMPORT:
        place = _import_source(body, settings)
    else:
        _check_destination(body)
    file_type = _word(FileType, body, "file_type")
    if file_type is not FileType.CSV:
        message = "Invalid file type"
        raise ValidationError(message, file_type=[f"{file_type} is not supported yet; use CSV."])
    if body["options"]:
        message = "Invalid request format"
        raise ValidationError(message, options=["Options are not supported yet; leave them out."])
    return NewTask(
        task_type,
        entity_type,
        file_type,
        file_name=body["file_name"],
        metadata=body["metadata"],
        **place,
    )


def _word(words: type[Word], body: dict[str, Any], field: str) -> Word:
    value = body[field]
    if value not in list(words):
        message = f"Invalid {field.replace('_', ' ')}"
        raise ValidationError(message, **{field: [f"{value!r:.100} is not one of {', '.join(words)}."]})
    return words(value)


def find_upload(session: Session, principal: Principal, new: NewTask) -> NewTask:
    """The task with the place of its upload, where it has one; raises ValidationError when that is not the caller's."""
    if new.upload_id is None:
        return new
    upload = session.get(Upload, new.upload_id)
    if upload is None or upload.scope_id != principal.scope_id:
        message = "invalid upload_id"
        raise ValidationError(
            message,
            upload_id=[f"{new.upload_id!r:.150} is unknown; get one from POST /v1/uploads."],
        )
    return replace(new, source_key=upload.object_key)


def _import_source(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Exactly one of file_url and upload_id says where the bytes are."""
    url, upload_id = body["file_url"], body["upload_id"]
    if upload_id and url:
        message = "Invalid request format"
        raise ValidationError(message, file_url=["Give either file_url or upload_id, not both."])
    if upload_id:
        return {"upload_id": upload_id}
    if url is None or url == "":
        message = "Invalid request format"
        raise ValidationError(message, file_url=["An IMPORT needs a file_url or an upload_id."])
    if not url.strip():
        message = "File URL cannot be empty"
        raise ValidationError(message, file_url=["Only white space."])
    AddressGuard(settings.allowed_hosts).admit(url.strip())
    return {"file_url": url.strip()}


def _check_destination(body: dict[str, Any]) -> None:
    """An export goes to the service's own bucket; `upload_id` is what some clients cannot leave out."""
    url = (body["file_url"] or "").strip()
    if url and not body["upload_id"]:
        message = "Invalid request format"
        raise ValidationError(
            message,
            file_url=['Exports go to the service\'s own bucket: leave file_url out or "".'],
        )
