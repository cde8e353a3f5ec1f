"""Bodies and queries of tasks."""

from marshmallow import fields, validate

from schemas.base import BodySchema, Instant, one_of
from schemas.vocabulary import EntityType, FileType, Outcome, Phase, TaskState, TaskType

_NOT_BLANK = validate.Length(min=1)
_BIGINT_MAX = 2**63 - 1


class NewTaskSchema(BodySchema):
    """A task to create: an IMPORT names exactly one of `file_url` and `upload_id`, an EXPORT needs neither."""

    task_type = one_of(TaskType, required=True, validate=_NOT_BLANK)
    entity_type = one_of(EntityType, required=True, validate=_NOT_BLANK)
    file_type = one_of(FileType, required=True, validate=_NOT_BLANK)
    file_url = fields.String(load_default=None, allow_none=True)
    upload_id = fields.String(load_default=None, allow_none=True)
    file_provider = fields.String(load_default=None, allow_none=True)
    file_name = fields.String(load_default=None, allow_none=True)
    metadata = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)
    options = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)


class CountsSchema(BodySchema):
    """The rows of a task by what happened to them."""

    created = fields.Integer()
    updated = fields.Integer()
    skipped = fields.Integer()
    rejected = fields.Integer()


class ProgressSchema(BodySchema):
    """How far a task is."""

    phase = one_of(Phase, allow_none=True)
    bytes_done = fields.Integer()
    bytes_total = fields.Integer(allow_none=True)
    rows_done = fields.Integer()
    rows_total = fields.Integer(allow_none=True)
    percent = fields.Float(allow_none=True)


class TaskSchema(BodySchema):
    """A task; every key is always there, null where it has no value."""

    id = fields.String()
    task_type = one_of(TaskType)
    entity_type = one_of(EntityType)
    scheduled_task_id = fields.String(allow_none=True)
    workflow_id = fields.String()
    run_id = fields.String()
    file_url = fields.String()
    file_name = fields.String(allow_none=True)
    file_type = one_of(FileType)
    task_status = one_of(TaskState)
    outcome = one_of(Outcome, allow_none=True)
    progress = fields.Nested(ProgressSchema)
    counts = fields.Nested(CountsSchema)
    total_records = fields.Integer(allow_none=True)
    processed_records = fields.Integer()
    successful_records = fields.Integer()
    failed_records = fields.Integer()
    error_code = fields.String(allow_none=True)
    error_summary = fields.String(allow_none=True)
    metadata = fields.Dict(keys=fields.String(), allow_none=True)
    manifest = fields.Dict(keys=fields.String(), allow_none=True)
    attempt = fields.Integer()
    started_at = Instant(allow_none=True)
    completed_at = Instant(allow_none=True)
    failed_at = Instant(allow_none=True)
    environment_id = fields.String()
    tenant_id = fields.String()
    status = fields.String()
    created_at = Instant()
    updated_at = Instant()
    created_by = fields.String()
    updated_by = fields.String()


class PaginationSchema(BodySchema):
    """Which part of all matches a page is."""

    total = fields.Integer()
    limit = fields.Integer()
    offset = fields.Integer()


class TaskPageSchema(BodySchema):
    """One page of tasks."""

    items = fields.List(fields.Nested(TaskSchema))
    pagination = fields.Nested(PaginationSchema)


class TaskFilterSchema(BodySchema):
    """Which tasks to list; a word outside its closed set matches nothing."""

    limit = fields.Integer(load_default=50)
    offset = fields.Integer(load_default=0, validate=validate.Range(max=_BIGINT_MAX))
    sort = fields.String(load_default="created_at")
    order = fields.String(load_default="desc")
    status = fields.String(load_default="published")
    expand = fields.String(load_default=None)
    task_type = fields.String(load_default=None)
    entity_type = fields.String(load_default=None)
    task_status = fields.String(load_default=None)
    scheduled_task_id = fields.String(load_default=None)
    created_by = fields.String(load_default=None)
    start_time = Instant(load_default=None)
    end_time = Instant(load_default=None)


class StatusChangeSchema(BodySchema):
    """The state that a caller wants a task to be in."""

    task_status = one_of(TaskState, required=True, validate=_NOT_BLANK)


class MessageSchema(BodySchema):
    """A sentence that says what was done."""

    message = fields.String()


class WorkflowQuerySchema(BodySchema):
    """Which run's result is wanted."""

    workflow_id = fields.String(load_default="")


class WorkflowSchema(BodySchema):
    """The run of a task, as clients that create from uploads expect it."""

    message = fields.String()
    workflow_id = fields.String()
    run_id = fields.String()
    task_id = fields.String()


class ResultSchema(WorkflowSchema):
    """What a task came to."""

    task_status = one_of(TaskState)
    total_records = fields.Integer(allow_none=True)
    processed_records = fields.Integer()
    successful_records = fields.Integer()
    failed_records = fields.Integer()
    file_url = fields.String()
    error_summary = fields.String(allow_none=True)
    download_url = fields.String(allow_none=True)


class DownloadSchema(BodySchema):
    """A link to the export object; strings only, as clients expect."""

    download_url = fields.String()
