"""The bodies of errors, which satisfy clients of both error generations at once."""

from marshmallow import fields

from schemas.base import BodySchema


class NestedErrorSchema(BodySchema):
    """The error as clients of the older generation read it."""

    message = fields.String(required=True)
    internal_error = fields.String(required=True)
    details = fields.Dict(keys=fields.String(), required=True)


class ErrorSchema(BodySchema):
    """What went wrong: `code` for programs, `message` for people, `details` with the field and the value."""

    code = fields.String(required=True, metadata={"example": "validation_error"})
    message = fields.String(required=True, metadata={"example": "Invalid task type"})
    http_status_code = fields.Integer(required=True, metadata={"example": 400})
    details = fields.Dict(keys=fields.String(), required=True)
    success = fields.Boolean(required=True, metadata={"example": False})
    error = fields.Nested(NestedErrorSchema, required=True)


class DeniedSchema(BodySchema):
    """Why a request without a usable key, or with too few rights, was turned away."""

    error = fields.String(required=True, metadata={"example": "Unauthorized"})
    message = fields.String(required=True, metadata={"example": "Unauthorized"})
