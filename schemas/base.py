"""What all bodies share: unknown keys are ignored, times are RFC 3339 in UTC, and each field has an example."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields

# `fromisoformat` reads more of ISO 8601: weeks, no separators, a space for the T.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class BodySchema(Schema):
    """A body of the API; clients may send keys that we do not know."""

    #: What the OpenAPI document says of the body beside its fields, in JSON Schema.
    also: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        """Ignore what we do not know, and keep the order of declaration."""

        unknown = EXCLUDE


class AnswerSchema(BodySchema):
    """A body that we send: every key is always there, null where it has no value."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Say so in the OpenAPI document."""
        del field_name
        field_obj.required = True


def told(description: str, example: Any, **more: Any) -> dict[str, Any]:
    """What the OpenAPI document says of a field: its meaning, an example, and more in JSON Schema."""
    return {"description": description, "examples": [example], **more}


def one_of(words: type[StrEnum], description: str, example: str | None, **options: Any) -> fields.String:
    """A text that is one word of a closed set.

    The document tells the set; where the body is used it is checked, in the order of the contract.
    """
    allowed: list[str | None] = [str(word) for word in words]
    if options.get("allow_none"):
        allowed.append(None)
    return fields.String(metadata=told(description, example, enum=allowed), **options)


def count(description: str, example: int | None, **options: Any) -> fields.Integer:
    """A number of things that is never negative."""
    return fields.Integer(metadata=told(description, example, minimum=0), **options)


def example_of(schema: Schema) -> dict[str, Any]:
    """A body, put together from the examples of its fields."""
    return {name: _example(field) for name, field in schema.fields.items()}


def _example(field: fields.Field[Any]) -> Any:
    if "examples" in field.metadata:
        return field.metadata["examples"][0]
    if isinstance(field, fields.List):
        return [_example(field.inner)]
    assert isinstance(field, fields.Nested)  # noqa: S101 - nothing else may be without an example
    return example_of(field.schema)


class WholeNumber(fields.Integer):
    """An integer in a query: digits and a sign, where Python's own reader takes `1_000` and other scripts' too."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]+", value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Instant(fields.AwareDateTime):
    """A moment such as `2026-03-02T09:14:07.5Z`: in UTC, trailing zeros of the fraction cut."""

    def __init__(self, **kwargs: Any) -> None:
        """Read RFC 3339; a time without offset is refused."""
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not (isinstance(value, str) and _RFC_3339.fullmatch(value)):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else format_instant(value)


def format_instant(value: datetime) -> str:
    """A moment as text, in UTC with `Z`; the fraction has as many digits as it needs."""
    text = value.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"
