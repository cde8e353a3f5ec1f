"""The closed sets of words that the API, the tables and the workers share."""

from enum import StrEnum


class TaskType(StrEnum):
    """Which way the rows go."""

    IMPORT = "IMPORT"
    EXPORT = "EXPORT"


class EntityType(StrEnum):
    """The kinds of thing that Wharf moves."""

    EVENTS = "EVENTS"
    PRICES = "PRICES"
    CUSTOMERS = "CUSTOMERS"
    FEATURES = "FEATURES"


class FileType(StrEnum):
    """The format of a source or of an export object."""

    CSV = "CSV"
    JSON = "JSON"
    NDJSON = "NDJSON"
    PARQUET = "PARQUET"


class TaskState(StrEnum):
    """Where a task is in its life; on the wire `task_status`."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Outcome(StrEnum):
    """What a finished task came to: COMPLETED alone does not say that rows were refused."""

    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Phase(StrEnum):
    """What a running task is doing now; the first three are an import's, the others an export's."""

    FETCHING = "FETCHING"
    LOADING = "LOADING"
    FINISHING = "FINISHING"
    READING = "READING"
    WRITING = "WRITING"


class ChunkState(StrEnum):
    """Where a chunk of an import is in its life."""

    OPEN = "OPEN"
    LOADING = "LOADING"
    LOADED = "LOADED"


class StreamState(StrEnum):
    """Where one worker's part of a shared export object is in its life."""

    WRITING = "WRITING"
    WRITTEN = "WRITTEN"


class AttemptOutcome(StrEnum):
    """How one attempt at a task ended."""

    SUCCEEDED = "SUCCEEDED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"
    LOST = "LOST"
    CANCELLED = "CANCELLED"


class ErrorKind(StrEnum):
    """Whose move it is after an error: the caller's, ours by trying again, or an engineer's."""

    USAGE = "usage"
    TRANSIENT = "transient"
    FATAL = "fatal"


class ProviderType(StrEnum):
    """Who keeps the objects behind a connection: anybody who speaks S3."""

    S3 = "s3"


class Encryption(StrEnum):
    """How a store is asked to encrypt an object: with keys of its own, or with those of a key service."""

    AES256 = "AES256"
    KMS = "aws:kms"
    KMS_TWICE = "aws:kms:dsse"


class Role(StrEnum):
    """What an API key may do; each includes the ones before it, except that only admins are workers too."""

    READER = "reader"
    WRITER = "writer"
    WORKER = "worker"
    ADMIN = "admin"


class RowStatus(StrEnum):
    """Whether a stored row is in use; on the wire `status`."""

    PUBLISHED = "published"
    DELETED = "deleted"
    ARCHIVED = "archived"
