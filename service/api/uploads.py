"""Uploads: a presigned place to PUT a file, to be imported by its upload_id."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.errors import ErrorSchema
from schemas.uploads import NewUploadSchema, UploadSchema
from service.access import Principal
from service.api.auth import writes
from service.api.blueprint import Blueprint
from service.api.context import context
from service.db.models import Upload
from service.ids import new_id

blueprint = Blueprint("uploads", __name__, url_prefix="/v1/uploads", description="Places to put files")


@blueprint.post("")
@writes
@blueprint.arguments(NewUploadSchema)
@blueprint.response(201, UploadSchema)
@blueprint.alt_response(400, schema=ErrorSchema)
def create_upload(principal: Principal, body: dict[str, Any]) -> dict[str, Any]:
    """Make a place for one file; PUT its bytes to the link, then create a task with the upload_id."""
    here = context()
    upload_id = new_id("upload")
    seconds = here.settings.upload_seconds
    upload = Upload(
        id=upload_id,
        scope_id=principal.scope_id,
        object_key=f"uploads/{principal.tenant_id}/{principal.environment_id}/{upload_id}",
        file_name=body["file_name"],
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
    )
    with here.sessions.begin() as session:
        session.add(upload)
    url = here.store.upload_link(upload.object_key, seconds)
    return {"upload_id": upload_id, "upload_url": url, "expires_at": upload.expires_at}
