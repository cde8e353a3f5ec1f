"""Uploads: a presigned place to PUT a file, to be imported by its upload_id."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from schemas.base import format_instant
from schemas.uploads import NewUploadSchema, UploadSchema
from service.access import Principal
from service.api.auth import writes
from service.api.blueprint import Blueprint
from service.api.context import context
from service.api.document import IDEMPOTENCY_KEY, error_name, named_headers
from service.api.once import do_once
from service.db.models import Upload
from service.errors import ValidationError
from service.idempotency import Answer
from service.ids import new_id

blueprint = Blueprint("uploads", __name__, url_prefix="/v1/uploads", description="Places to put files")


@blueprint.post("")
@writes
@blueprint.arguments(NewUploadSchema)
@blueprint.doc(parameters=[IDEMPOTENCY_KEY])
@blueprint.response(201, UploadSchema, headers=named_headers("Idempotent-Replayed"))
@blueprint.alt_response(409, error_name(409))
def create_upload(principal: Principal, body: dict[str, Any]) -> Response:
    """Make a place for one file.

    PUT its bytes to the `upload_url`, then create a task with the `upload_id`.
    """
    here = context()

    def create(session: Session, file_name: str) -> Answer:
        upload = _new_upload(principal, file_name, here.settings.upload_seconds)
        session.add(upload)
        return Answer(201, {}, {"upload_id": upload.id, "expires_at": format_instant(upload.expires_at)})

    done = do_once(principal, lambda: _check(body, here.settings.file_max_bytes), create)
    upload_id, expires_at = done.answer.body["upload_id"], datetime.fromisoformat(done.answer.body["expires_at"])
    # A link is a secret and so never stored: one that is given again is signed again, for the time that is left.
    seconds = max(1, round((expires_at - datetime.now(UTC)).total_seconds()))
    done.answer.body["upload_url"] = here.store.upload_link(_object_key(principal, upload_id), seconds)
    return done.response()


def _check(body: dict[str, Any], file_max_bytes: int) -> str:
    """The file's name, if the file may be so long; raises ValidationError."""
    if (body["size"] or 0) > file_max_bytes:
        message = "The file is too long"
        raise ValidationError(message, size=[f"{body['size']} is more than the {file_max_bytes} bytes allowed here."])
    return str(body["file_name"])


def _new_upload(principal: Principal, file_name: str, seconds: int) -> Upload:
    upload_id = new_id("upload")
    return Upload(
        id=upload_id,
        scope_id=principal.scope_id,
        object_key=_object_key(principal, upload_id),
        file_name=file_name,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
    )


def _object_key(principal: Principal, upload_id: str) -> str:
    return f"uploads/{principal.tenant_id}/{principal.environment_id}/{upload_id}"
