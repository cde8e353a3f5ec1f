"""Bodies of uploads."""

from marshmallow import fields, validate

from schemas.base import BodySchema, Instant


class NewUploadSchema(BodySchema):
    """A file that the caller is about to upload."""

    file_name = fields.String(required=True, validate=validate.Length(min=1, max=255))


class UploadSchema(BodySchema):
    """Where to PUT the file, until when, and the name to create the task with."""

    upload_id = fields.String(required=True)
    upload_url = fields.String(required=True)
    expires_at = Instant(required=True)
