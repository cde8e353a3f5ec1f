"""What all bodies share: unknown keys are ignored, and times are RFC 3339 in UTC."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from marshmallow import EXCLUDE, Schema, fields


class BodySchema(Schema):
    """A body of the API; clients may send keys that we do not know."""

    class Meta:
        """Ignore what we do not know, and keep the order of declaration."""

        unknown = EXCLUDE


def one_of(words: type[StrEnum], **options: Any) -> fields.String:
    """A text that is one word of a closed set.

    The document tells the set; where the body is used it is checked, in the order of the contract.
    """
    allowed: list[str | None] = [str(word) for word in words]
    if options.get("allow_none"):
        allowed.append(None)
    return fields.String(metadata={"enum": allowed}, **options)


class Instant(fields.AwareDateTime):
    """A moment such as `2026-03-02T09:14:07.5Z`: in UTC, trailing zeros of the fraction cut."""

    def __init__(self, **kwargs: Any) -> None:
        """Read RFC 3339; a time without offset is refused."""
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else format_instant(value)


def format_instant(value: datetime) -> str:
    """A moment as text, in UTC with `Z`; the fraction has as many digits as it needs."""
    text = value.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"
