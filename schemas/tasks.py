"""Bodies of tasks as they are shown, and the queries for them."""

from enum import StrEnum
from typing import Any

from marshmallow import fields, validate

from schemas.base import AnswerSchema, BodySchema, Instant, WholeNumber, count, example_of, one_of, told
from schemas.export_options import Compression
from schemas.vocabulary import EntityType, FileType, Outcome, Phase, RowStatus, TaskState, TaskType

NOT_BLANK = validate.Length(min=1)
_BIGINT_MAX = 2**63 - 1

TASK_ID = "task_01KA2NS4E0YGT9W3D6HPCX7MBZ"
_USER_ID = "user_01KA2NH5W7B3S9QX4YJ0DTVM8C"
_WORKFLOW_ID = "wf_TaskProcessingWorkflow_01KA2NS4E1R5K8ZQ0VJ2FAN3TG"
_SUMMARY = 'Row 17 (line 18): name is required; Row 402 (line 403): email is no e-mail address: "anna@"'


class CountsSchema(AnswerSchema):
    """The rows of a task by what happened to them."""

    created = count("Rows that made something new.", 1150)
    updated = count("Rows that changed something.", 48)
    skipped = count("Rows that changed nothing, since it was so already.", 0)
    rejected = count("Rows that were refused.", 2)


class ProgressSchema(AnswerSchema):
    """How far a task is."""

    phase = one_of(Phase, "What a running task is doing now.", None, allow_none=True)
    bytes_done = count("Bytes of the source that were read.", 52_417)
    bytes_total = count("Length of the source, once it is known.", 52_417, allow_none=True)
    rows_done = count("Rows that are done.", 1200)
    rows_total = count("Rows there are, once it is known.", 1200, allow_none=True)
    percent = fields.Float(
        allow_none=True, metadata=told("Rows done of all rows, once that is known.", 100.0, minimum=0, maximum=100)
    )
    rows_per_second = fields.Float(
        allow_none=True,
        metadata=told("Rows done by the seconds since it last began, once there are any.", 49.2, minimum=0),
    )
    eta_seconds = fields.Float(
        allow_none=True,
        metadata=told(
            "How long the other rows will take at that speed, while it runs and that is known.", None, minimum=0
        ),
    )


class PartSchema(AnswerSchema):
    """Consecutive bytes that one worker wrote: a whole object, or what follows the part before in the same object."""

    key = fields.String(
        metadata=told(
            "The object's key.", "acme/live/customers/customers-task_01KA2NS4E0YGT9W3D6HPCX7MBZ-1.csv", minLength=1
        )
    )
    rows = count("Rows in it.", 1198)
    bytes = count("Its length.", 88_120)
    sha256 = fields.String(metadata=told("Of its bytes.", "9f2c6d1e" * 8, pattern="^[0-9a-f]{64}$"))


class ManifestSchema(AnswerSchema):
    """What a finished export wrote; the same is beside the object as `<key>.manifest.json`."""

    task = fields.String(metadata=told("The task that wrote it.", TASK_ID))
    rows = count("Rows in all, headers not counted.", 1198)
    bytes = count("Length of all.", 88_120)
    sha256 = fields.String(
        allow_none=True,
        metadata=told(
            "Of the object; null where several workers wrote it or it is several files: `parts` then prove it.",
            "9f2c6d1e" * 8,
            pattern="^[0-9a-f]{64}$",
        ),
    )
    parts = fields.List(fields.Nested(PartSchema), metadata=told("All bytes, in their order.", []))
    columns = fields.List(fields.String(), metadata=told("In their order.", ["external_id", "name", "email"]))
    format = one_of(FileType, "The format of the file.", "CSV")
    compression = one_of(Compression, "How it is packed.", "none")
    spreadsheet_safe = fields.Boolean(
        metadata=told("Whether formulas were neutralised, so that texts differ.", example=False)
    )
    filters = fields.Dict(keys=fields.String(), metadata=told("As they were asked for.", {}))
    start_time = Instant(allow_none=True, metadata=told("Rows of that moment and later.", None))
    end_time = Instant(allow_none=True, metadata=told("Rows before that moment.", None))
    snapshot_at = Instant(metadata=told("The moment whose rows it holds.", "2026-03-02T09:14:07.3Z"))
    complete_until = Instant(
        metadata=told(
            "Rows whose `created_at` or `ingested_at` is earlier are all there; later ones may be missing that were "
            "written by what still ran at `snapshot_at`.",
            "2026-03-02T09:14:06.9Z",
        )
    )


class SourceSchema(AnswerSchema):
    """What an import found out about its source when it was fetched; null where it does not apply."""

    format = fields.String(
        allow_none=True, metadata=told("How the rows are laid out: CSV, JSON (one array) or NDJSON.", "CSV")
    )
    file_type = fields.String(allow_none=True, metadata=told("What the bytes turned out to be.", "CSV"))
    compression = fields.String(allow_none=True, metadata=told("none, gzip or zstd.", "none"))
    encoding = fields.String(allow_none=True, metadata=told("How the characters were written.", "utf-8"))
    delimiter = fields.String(allow_none=True, metadata=told("What stands between the cells of a CSV file.", ","))
    quote = fields.String(allow_none=True, metadata=told("What its cells are quoted with.", '"'))
    bytes = count("Length as it is stored: decompressed, in UTF-8.", 52_417, allow_none=True)
    sha256 = fields.String(allow_none=True, metadata=told("Of its bytes.", "4b7d09aa" * 8, pattern="^[0-9a-f]{64}$"))
    columns = fields.List(
        fields.String(), allow_none=True, metadata=told("The columns that its header names.", ["external_id", "name"])
    )
    ignored_columns = fields.List(
        fields.String(), metadata=told("Those of which nothing is made: no column of the entity has that name.", [])
    )


class TaskSchema(AnswerSchema):
    """A task; every key is always there, null where it has no value."""

    id = fields.String(metadata=told("Names the task.", TASK_ID, maxLength=100))
    task_type = one_of(TaskType, "Which way the rows go.", "IMPORT")
    entity_type = one_of(EntityType, "What the rows are.", "CUSTOMERS")
    scheduled_task_id = fields.String(allow_none=True, metadata=told("The schedule that made it.", None))
    workflow_id = fields.String(metadata=told("Another name of the task.", _WORKFLOW_ID))
    run_id = fields.String(metadata=told("A UUID.", "5f0c1c1e-6a52-4f0e-9a0b-6b1f1f2f3a4b"))
    file_url = fields.String(
        metadata=told(
            'An import\'s source, or "" for an upload. An export\'s `s3://bucket/key`, "" until it is done.',
            "https://files.example.com/customers-march.csv",
        )
    )
    file_name = fields.String(allow_none=True, metadata=told("As the creator gave it.", "customers-march.csv"))
    file_type = one_of(FileType, "The format of the file.", "CSV")
    task_status = one_of(
        TaskState,
        "PENDING waits, PROCESSING runs; COMPLETED has an `outcome`, since rows may have been refused; "
        "FAILED was given up, and may be set to PROCESSING again.",
        "COMPLETED",
    )
    outcome = one_of(Outcome, "What a finished task came to; null until then.", "PARTIAL", allow_none=True)
    progress = fields.Nested(ProgressSchema)
    counts = fields.Nested(CountsSchema)
    total_records = count("Rows there are, once it is known.", 1200, allow_none=True)
    processed_records = count("Rows that are done.", 1200)
    successful_records = count("Rows that were accepted, the skipped ones too.", 1198)
    failed_records = count("Rows that were refused.", 2)
    error_code = fields.String(allow_none=True, metadata=told("Why it FAILED, for programs.", None))
    error_summary = fields.String(
        allow_none=True, metadata=told("Why it FAILED, or the first refused rows by their real numbers.", _SUMMARY)
    )
    metadata = fields.Dict(
        keys=fields.String(), allow_none=True, metadata=told("As the creator gave it.", {"requested_by": "ops"})
    )
    options = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        metadata=told("The options that the creator gave, or that came with its plan.", {"max_errors": 100}),
    )
    plan_id = fields.String(
        allow_none=True,
        metadata=told(
            "Of a COMPLETED dry run: its own id, to load the same bytes by. Else the plan that it loads.", None
        ),
    )
    parent_task_id = fields.String(allow_none=True, metadata=told("The task that it does again.", None))
    source = fields.Nested(SourceSchema, allow_none=True)
    destination_url = fields.String(
        allow_none=True,
        metadata=told("Where an export was asked to go; null where it goes to the service's own bucket.", None),
    )
    manifest = fields.Nested(ManifestSchema, allow_none=True, metadata={"examples": [None]})
    attempt = count("How often workers have begun it.", 1)
    started_at = Instant(allow_none=True, metadata=told("When it last began.", "2026-03-02T09:14:07.123456Z"))
    completed_at = Instant(allow_none=True, metadata=told("When it was completed.", "2026-03-02T09:14:31.5Z"))
    failed_at = Instant(allow_none=True, metadata=told("When it last failed; kept when it is run again.", None))
    environment_id = fields.String(metadata=told("Whose environment it is.", "live"))
    tenant_id = fields.String(metadata=told("Whose it is.", "acme"))
    status = one_of(RowStatus, "Whether the record is in use.", "published")
    created_at = Instant(metadata=told("When it was created.", "2026-03-02T09:14:06.901Z"))
    updated_at = Instant(metadata=told("When it last changed.", "2026-03-02T09:14:31.5Z"))
    created_by = fields.String(metadata=told('The user of the key, or "".', _USER_ID))
    updated_by = fields.String(metadata=told('The same of the last change; "" for a worker.', ""))


#: A task as it is when it was just created.
WAITING_TASK = {
    **example_of(TaskSchema()),
    "task_status": "PENDING",
    "outcome": None,
    "progress": {**dict.fromkeys(ProgressSchema().fields), "bytes_done": 0, "rows_done": 0},
    "counts": dict.fromkeys(CountsSchema().fields, 0),
    **dict.fromkeys(("processed_records", "successful_records", "failed_records", "attempt"), 0),
    **dict.fromkeys(("total_records", "error_summary", "source", "started_at", "completed_at")),
    "updated_at": "2026-03-02T09:14:06.901Z",
    "updated_by": _USER_ID,
}


class PaginationSchema(AnswerSchema):
    """Which part of all matches a page is."""

    total = count("All matches, exactly.", 1)
    limit = WholeNumber(metadata=told("The longest page, as it was applied.", 50, minimum=1, maximum=1000))
    offset = fields.Integer(metadata=told("As it was asked for.", 0))


class TaskPageSchema(AnswerSchema):
    """One page of tasks."""

    items = fields.List(fields.Nested(TaskSchema))
    pagination = fields.Nested(PaginationSchema)


#: What `sort` may name.
SORTABLE = (
    "created_at", "updated_at", "started_at", "completed_at", "failed_at", "id", "task_type", "entity_type",
    "file_type", "file_name", "total_records", "task_status",
)  # fmt: skip


def _filter(description: str, *examples: str, default: str | None = None) -> fields.String:
    """A filter by equality. It names its words as examples: others are no error, they match nothing."""
    return fields.String(load_default=default, metadata={"description": description, "examples": list(examples)})


def _word_filter(what: str, words: type[StrEnum], **options: Any) -> fields.String:
    told_words = f"{what}: {', '.join(words)}. Exact; any other word matches nothing."
    return _filter(told_words, *words, **options)


class TaskFilterSchema(BodySchema):
    """Which tasks to list; a word outside its closed set matches nothing."""

    limit = WholeNumber(
        load_default=50,
        metadata=told("The longest page. More than 1000 means 1000, 0 and less mean 50.", 50),
    )
    offset = WholeNumber(
        load_default=0,
        validate=validate.Range(max=_BIGINT_MAX),
        metadata=told("How many matches to leave out before the page; less than 0 means none.", 0),
    )
    sort = fields.String(
        load_default="created_at",
        metadata=told("The key to sort by; equal ones come by their id.", "created_at", enum=list(SORTABLE)),
    )
    order = _filter("`asc`; any other word means `desc`.", "desc", "asc", default="desc")
    status = _word_filter("Whether the record is in use", RowStatus, default="published")
    expand = _filter("Has no effect.", "none")
    task_type = _word_filter("Which way the rows go", TaskType)
    entity_type = _word_filter("What the rows are", EntityType)
    task_status = _word_filter("The state", TaskState)
    scheduled_task_id = _filter("The schedule that made the task.", "schtask_01KA2P0M6D4X9CZ7QK5VBN1HRE")
    created_by = _filter("The user who created the task.", _USER_ID)
    start_time = Instant(
        load_default=None,
        metadata=told("Tasks created then or later: RFC 3339, any offset.", "2026-03-01T00:00:00Z"),
    )
    end_time = Instant(
        load_default=None,
        metadata=told("Tasks created then or before: RFC 3339, any offset.", "2026-03-31T23:59:59.999999+02:00"),
    )


class StatusChangeSchema(BodySchema):
    """The state that a caller wants a task to be in."""

    task_status = fields.String(
        required=True,
        validate=NOT_BLANK,
        metadata=told(
            "PROCESSING runs a PENDING or FAILED task (again), FAILED stops it, "
            "COMPLETED is taken when nothing is left to do.",
            "PROCESSING",
            enum=[TaskState.PROCESSING, TaskState.COMPLETED, TaskState.FAILED],
        ),
    )


class MessageSchema(AnswerSchema):
    """A sentence that says what was done."""

    message = fields.String(metadata=told("What was done.", "task status updated successfully"))


class WorkflowQuerySchema(BodySchema):
    """Which run's result is wanted."""

    workflow_id = fields.String(
        load_default="", metadata=told("The workflow_id, or the id, of a task.", _WORKFLOW_ID, minLength=1, needed=True)
    )


class WorkflowSchema(AnswerSchema):
    """The run of a task, as clients that create from uploads expect it."""

    message = fields.String(metadata=told("What was done.", "task processing workflow started successfully"))
    workflow_id = fields.String(metadata=told("Another name of the task.", _WORKFLOW_ID))
    run_id = fields.String(metadata=told("A UUID.", "5f0c1c1e-6a52-4f0e-9a0b-6b1f1f2f3a4b"))
    task_id = fields.String(metadata=told("The task.", TASK_ID))


class ResultSchema(WorkflowSchema):
    """What a task came to."""

    message = fields.String(metadata=told("The state in words.", "task is COMPLETED"))
    task_status = one_of(TaskState, "The state.", "COMPLETED")
    total_records = count("Rows there are, once it is known.", 1200, allow_none=True)
    processed_records = count("Rows that are done.", 1200)
    successful_records = count("Rows that were accepted, the skipped ones too.", 1198)
    failed_records = count("Rows that were refused.", 2)
    file_url = fields.String(metadata=told("As the task has it.", "https://files.example.com/customers-march.csv"))
    error_summary = fields.String(allow_none=True, metadata=told("As the task has it.", _SUMMARY))
    plan_id = fields.String(allow_none=True, metadata=told("As the task has it.", None))
    download_url = fields.String(allow_none=True, metadata=told("A link to a finished export; else null.", None))


_LINK = (
    "https://files.example.com/wharf/acme/live/customers/"
    "customers-task_01KA2NS4E0YGT9W3D6HPCX7MBZ-1.csv?X-Amz-Signature=0f3c"
)


class FileSchema(AnswerSchema):
    """One of the files of an export."""

    download_url = fields.String(metadata=told("A presigned link to it.", _LINK, format="uri"))
    rows = count("Rows in it, its header not counted.", 1198)
    bytes = count("Its length.", 88_120)
    sha256 = fields.String(metadata=told("Of its bytes.", "9f2c6d1e" * 8, pattern="^[0-9a-f]{64}$"))


class DownloadSchema(BodySchema):
    """Links to what an export wrote; of one object nothing but a string, as clients expect."""

    download_url = fields.String(
        required=True,
        metadata=told(
            "A presigned link to the object, or to the manifest of several; good for 30 minutes unless the operator "
            "says otherwise.",
            _LINK,
            format="uri",
        ),
    )
    files = fields.List(
        fields.Nested(FileSchema), metadata=told("There with `max_part_rows`: each file, in its order.", [])
    )
