"""Bodies of uploads."""

from typing import Any

from marshmallow import fields, validate

from schemas.base import AnswerSchema, BodySchema, Instant, told

_BIGINT_MAX = 2**63 - 1


class _WholeNumber(fields.Integer):
    """A whole number as JSON has it: 7.0 is one, "7" and true are none."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            return super()._validated(int(value))
        return super()._validated(value)


class NewUploadSchema(BodySchema):
    """A file that the caller is about to upload."""

    file_name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=255),
        metadata=told("What the caller calls the file.", "customers-march.csv"),
    )
    size = _WholeNumber(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=_BIGINT_MAX),
        metadata=told("Its length in bytes, if known: one that is too long is refused at once.", 52_417),
    )


class UploadSchema(AnswerSchema):
    """Where to PUT the file, until when, and the name to create the task with."""

    upload_id = fields.String(metadata=told("Names the upload in POST /v1/tasks.", "upload_01KA2NQ7Z3C8VX5M0RBT6JH4WD"))
    upload_url = fields.String(
        metadata=told(
            "A presigned link: PUT the bytes of the file there, without an API key.",
            "https://files.example.com/wharf/uploads/acme/live/upload_01KA2NQ7Z3C8VX5M0RBT6JH4WD?X-Amz-Signature=0f3c",
            format="uri",
        )
    )
    expires_at = Instant(metadata=told("When the link ends.", "2026-03-02T10:14:06.901Z"))
