"""The ids of events that have none: the same for the same row of the same bytes, or new with each task."""

from schemas.options import EventIds, ImportOptions
from schemas.vocabulary import EntityType
from service.db.models import Task

#: As many digits as rows of a file can have, so that the ids are in the order of rows.
ROW_DIGITS = 10


def own_id_prefix(task: Task, options: ImportOptions) -> str | None:
    """What the row's number follows in such an id; None for things that are no events."""
    if task.entity_type != EntityType.EVENTS:
        return None
    if options.event_ids is EventIds.NEW:
        return f"event_{task.id.removeprefix('task_')}_"
    if task.source_sha256 is None:
        message = "an event's id is derived from the bytes of its source, which are not fetched yet"
        raise ValueError(message)
    return f"event_{task.source_sha256[:12].hex()}_"


def own_id(prefix: str, row: int) -> str:
    """The id of the event in this row."""
    return f"{prefix}{row:0{ROW_DIGITS}d}"
