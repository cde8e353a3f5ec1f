"""A mapped class for each table."""

from service.db.models.api_keys import ApiKey
from service.db.models.base import Base
from service.db.models.chunks import Chunk, RefusedRows, RowSetAside, StoredRowError
from service.db.models.connections import Connection
from service.db.models.entities import Customer, Event, Feature, Meter, Price
from service.db.models.exports import ExportAttempt, ExportPart, ExportRange, ExportStream
from service.db.models.idempotency import IdempotentAnswer
from service.db.models.scopes import Scope
from service.db.models.task_counts import TaskCount, TaskCountChange
from service.db.models.tasks import Attempt, Task
from service.db.models.uploads import Upload

__all__ = [
    "ApiKey",
    "Attempt",
    "Base",
    "Chunk",
    "Connection",
    "Customer",
    "Event",
    "ExportAttempt",
    "ExportPart",
    "ExportRange",
    "ExportStream",
    "Feature",
    "IdempotentAnswer",
    "Meter",
    "Price",
    "RefusedRows",
    "RowSetAside",
    "Scope",
    "StoredRowError",
    "Task",
    "TaskCount",
    "TaskCountChange",
    "Upload",
]
