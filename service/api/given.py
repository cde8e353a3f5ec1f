"""The options that a request gives, checked for the entity and the format that they are for."""

from collections.abc import Mapping
from typing import Any

import marshmallow

from schemas.given_export_options import check_export_options
from schemas.given_options import check_options
from schemas.vocabulary import EntityType, FileType, TaskType
from service.errors import ValidationError

#: Options that say how the bytes are to be read: stored bytes are what they are.
DIALECT = ("delimiter", "quote", "encoding")

_CHECKS = {TaskType.IMPORT: check_options, TaskType.EXPORT: check_export_options}


def read_given(
    place: str,
    given: object,
    entity_type: EntityType,
    file_type: FileType,
    task_type: TaskType = TaskType.IMPORT,
) -> dict[str, Any] | None:
    """The options as they are stored, None when there are none; `place` is where in the body they stand.

    Raises ValidationError with `<place>.<name>` for each that is wrong.
    """
    if given is None:
        return None
    message = "Invalid request format"
    if not isinstance(given, dict):
        raise ValidationError(message, **{place: ["Must be an object with an option under each name."]})
    try:
        return _CHECKS[task_type](given, entity_type, file_type) or None
    except marshmallow.ValidationError as refused:
        details = {f"{place}.{name:.100}": problems for name, problems in refused.messages_dict.items()}
        raise ValidationError(message, **details) from refused


def refuse_dialect(given: Mapping[str, Any] | None, known: Mapping[str, Any] | None, why: str) -> None:
    """Raise ValidationError for an option about bytes that are stored already, unless it says what is known."""
    for name in DIALECT:
        if given and name in given and given[name] != (known or {}).get(name):
            message = "Invalid request format"
            raise ValidationError(message, **{f"options.{name}": [f"{why}; leave it out."]})
