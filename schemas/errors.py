"""The body of every error, which satisfies clients of both error generations at once."""

from marshmallow import fields

from schemas.base import AnswerSchema, told

_MESSAGE = told("For people.", "Task not found")
_DETAILS = told("What was wrong: mostly the names of fields, each with what to do.", {"task_id": "task_x"})


class NestedErrorSchema(AnswerSchema):
    """The error as clients of the older generation read it."""

    message = fields.String(metadata=_MESSAGE)
    internal_error = fields.String(metadata=told("The code as words.", "not found"))
    details = fields.Dict(keys=fields.String(), metadata=_DETAILS)


class ErrorSchema(AnswerSchema):
    """What went wrong: `code` for programs, `message` for people, `details` with the field and the remedy."""

    code = fields.String(metadata=told("For programs.", "not_found"))
    message = fields.String(metadata=_MESSAGE)
    http_status_code = fields.Integer(metadata=told("The status of the answer.", 404))
    details = fields.Dict(keys=fields.String(), metadata=_DETAILS)
    success = fields.Boolean(metadata=told("For clients of the older generation.", example=False, enum=[False]))
    error = fields.Nested(NestedErrorSchema, metadata={"description": "The same, for clients of the older generation."})


class DeniedSchema(AnswerSchema):
    """Why a request without a usable key, or with too few rights, was turned away."""

    error = fields.String(metadata=told("What happened.", "Access denied"))
    message = fields.String(metadata=told("Why.", "insufficient permissions"))
