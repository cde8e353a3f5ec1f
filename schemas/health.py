"""Bodies of the routes by which operators and load balancers watch a web process."""

from marshmallow import fields

from schemas.base import AnswerSchema, told


class HealthSchema(AnswerSchema):
    """The process answers."""

    status = fields.String(metadata=told("Always ok.", "ok", enum=["ok"]))


class ReadinessSchema(AnswerSchema):
    """Whether all that the process needs answers, and what does not."""

    status = fields.String(metadata=told("ok when nothing failed.", "ok", enum=["ok", "unavailable"]))
    failed = fields.List(
        fields.String(metadata={"enum": ["database", "broker", "store"]}),
        metadata=told("The names of what does not answer.", []),
    )
