"""Bodies that ask for tasks: a new one, or another go at one that is finished."""

from enum import StrEnum
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from schemas.base import BodySchema, one_of, told
from schemas.given_options import ImportOptionsSchema
from schemas.tasks import NOT_BLANK, TASK_ID
from schemas.vocabulary import EntityType, FileType, TaskType

UPLOAD_ID = "upload_01KA2NQ7Z3C8VX5M0RBT6JH4WD"

#: Exactly what may stand where a URL is not wanted: clients that cannot leave it out send "".
_NO_TEXT = {"type": ["string", "null"], "pattern": r"^\s*$"}
_BUCKET = {"type": "string", "pattern": r"^\s*s3://[^/\s]+(/|\s*$)"}
_EMPTY = {"type": ["string", "null"], "maxLength": 0}
_SOME_TEXT = {"type": "string", "minLength": 1}
_OPTIONS = {TaskType.IMPORT: "ImportOptions", TaskType.EXPORT: "ExportOptions"}


class RetryScope(StrEnum):
    """What of a finished import is done again: all of its rows, or those that were refused."""

    ALL = "all"
    REJECTED = "rejected"


def _take_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValidationError("Must be an object with an option under each name.")
    return value


class _ImportOptions(fields.Nested):
    """Options as they came: told as ImportOptionsSchema, and checked where entity and format are known."""

    def __init__(self, description: str) -> None:
        # Nobody wants a request to be done with all options at once.
        meaning = {"description": description, "examples": [{"mode": "upsert", "max_errors": 100}]}
        super().__init__(ImportOptionsSchema, load_default=None, allow_none=True, metadata=meaning)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return _take_object(value)


class _Options(fields.Raw):
    """Options of either kind of task as they came; which of them it may be, the shapes of the body tell."""

    def __init__(self, description: str) -> None:
        meaning = {"description": description, "examples": [{"mode": "upsert", "max_errors": 100}]}
        meaning["type"] = "object"
        super().__init__(load_default=None, allow_none=True, metadata=meaning)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return _take_object(value)


def _options_of(schema: str) -> dict[str, Any]:
    """The options that one shape of the body takes, by the name of their schema in the document."""
    return {"anyOf": [{"$ref": f"#/components/schemas/{schema}"}, {"type": "null"}]}


def _kind(title: str, task_type: TaskType, *required: str, **properties: Any) -> dict[str, Any]:
    """One of the shapes of a body that creates."""
    return {
        "title": title,
        "required": ["task_type", *required],
        "properties": {"task_type": {"const": task_type}, "options": _options_of(_OPTIONS[task_type]), **properties},
    }


def _plan(title: str, *required: str, **properties: Any) -> dict[str, Any]:
    return _kind(title, TaskType.IMPORT, *required, file_url=_EMPTY, upload_id=_EMPTY, **properties)


def _export(title: str, *required: str, **properties: Any) -> dict[str, Any]:
    return _kind(title, TaskType.EXPORT, *required, plan_id=_EMPTY, **properties)


class NewTaskSchema(BodySchema):
    """A task to create: an IMPORT names one of `file_url`, `upload_id` and `plan_id`, an EXPORT needs none."""

    also: ClassVar[dict[str, Any]] = {
        "anyOf": [
            _kind(
                "Import from a URL",
                TaskType.IMPORT,
                "file_url",
                file_url={"type": "string", "pattern": r"^\s*(https?|s3)://"},
                upload_id=_EMPTY,
                plan_id=_EMPTY,
            ),
            _kind(
                "Import of an upload",
                TaskType.IMPORT,
                "upload_id",
                file_url=_EMPTY,
                upload_id=_SOME_TEXT,
                plan_id=_EMPTY,
            ),
            _plan("Import of a plan", "plan_id", plan_id=_SOME_TEXT),
            _plan(
                "Import of a plan, by a client that cannot send `plan_id`",
                "metadata",
                plan_id=_EMPTY,
                metadata={"type": "object", "required": ["plan_id"], "properties": {"plan_id": _SOME_TEXT}},
            ),
            _export("Export", file_url=_NO_TEXT),
            _export("Export to a bucket of the caller's own", "file_url", file_url=_BUCKET),
            _export(
                "Export, by a client that cannot leave `upload_id` out: it and `file_url` are ignored",
                "upload_id",
                upload_id=_SOME_TEXT,
            ),
        ]
    }

    task_type = one_of(TaskType, "Which way the rows go.", "IMPORT", required=True, validate=NOT_BLANK)
    entity_type = one_of(EntityType, "What the rows are.", "CUSTOMERS", required=True, validate=NOT_BLANK)
    file_type = one_of(
        FileType,
        "The format of the file. JSON is one array of objects, NDJSON an object on each line; either is taken for the "
        "other. An import finds out by itself whether the file is compressed (gzip, zstd), an export by `options`.",
        "CSV",
        required=True,
        validate=NOT_BLANK,
    )
    file_url = fields.String(
        load_default=None,
        allow_none=True,
        metadata=told(
            "Where an import reads: an https URL on a publicly routable host or on one that the operator allows, or "
            "`s3://bucket/key` of a connection. Where an export goes: `s3://bucket/prefix` of a connection, or "
            "without it to the service's own bucket.",
            "https://files.example.com/customers-march.csv",
        ),
    )
    upload_id = fields.String(
        load_default=None, allow_none=True, metadata=told("What POST /v1/uploads gave.", UPLOAD_ID)
    )
    plan_id = fields.String(
        load_default=None,
        allow_none=True,
        metadata=told(
            "The `plan_id` of a dry run that is COMPLETED: the very bytes that it checked are loaded, with its options "
            "except `dry_run`; `options` that are given here replace its own. Or under `metadata`.",
            TASK_ID,
        ),
    )
    file_provider = fields.String(
        load_default=None, allow_none=True, metadata=told("Any word; some clients send one.", "csvbox")
    )
    file_name = fields.String(
        load_default=None, allow_none=True, metadata=told("What the caller calls the file.", "customers-march.csv")
    )
    metadata = fields.Dict(
        keys=fields.String(),
        load_default=None,
        allow_none=True,
        metadata=told(
            "Anything the caller wants to keep with the task. Its `options` and `plan_id` mean what they mean outside, "
            "for clients that cannot send keys of their own.",
            {"requested_by": "ops"},
        ),
    )
    options = _Options("How the import or the export is to be done.")


_UPLOADED = {
    "task_type": "IMPORT",
    "entity_type": "CUSTOMERS",
    "file_type": "CSV",
    "upload_id": UPLOAD_ID,
    "file_provider": "csvbox",
}

#: Bodies to create with, one of each kind.
NEW_TASKS = {
    "import_from_url": {
        "summary": "Import from a URL: 202 with the task",
        "value": {
            "task_type": "IMPORT",
            "entity_type": "CUSTOMERS",
            "file_type": "CSV",
            "file_url": "https://files.example.com/customers-march.csv",
            "file_name": "customers-march.csv",
            "metadata": {"requested_by": "ops"},
        },
    },
    "import_of_upload": {"summary": "Import of an upload: 200 with the run", "value": _UPLOADED},
    "import_with_mapping": {
        "summary": "Import of columns with other names, into a table where nothing may be changed",
        "value": {
            **_UPLOADED,
            "options": {
                "mode": "insert",
                "mapping": {"Symbol": "external_id", "Security": "name", "CIK": "metadata.cik"},
                "constants": {"address_country": "US"},
            },
        },
    },
    "dry_run": {
        "summary": "Dry run: every row is checked, nothing is written",
        "value": {**_UPLOADED, "options": {"dry_run": True}},
    },
    "import_of_plan": {
        "summary": "Import of the very bytes that a dry run has checked: 202 with the task",
        "value": {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "plan_id": TASK_ID},
    },
    "export": {
        "summary": "Export: 202 with the task",
        "value": {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"},
    },
    "export_with_options": {
        "summary": "Export of some columns of one month's events, compressed",
        "value": {
            "task_type": "EXPORT",
            "entity_type": "EVENTS",
            "file_type": "NDJSON",
            "options": {
                "columns": ["event_id", "event_name", "timestamp", "properties"],
                "filters": {"event_name": ["api_call", "tokens_used"]},
                "start_time": "2026-03-01T00:00:00Z",
                "end_time": "2026-04-01T00:00:00Z",
                "compression": "gzip",
            },
        },
    },
}


class RetrySchema(BodySchema):
    """What of a finished import is to be done again, by a new task."""

    scope = one_of(
        RetryScope,
        "`all` reads the same source again; `rejected` imports the refused rows, as they are stored or from a "
        "corrected upload.",
        "rejected",
        required=True,
        validate=NOT_BLANK,
    )
    upload_id = fields.String(
        load_default=None,
        allow_none=True,
        metadata=told("With `rejected`: the upload of the corrected rows. Columns `_wharf_…` may stay.", UPLOAD_ID),
    )
    options = _ImportOptions("Options that replace those of the finished import; the others stay.")


#: Bodies to retry with.
RETRIES = {
    "rejected": {
        "summary": "The refused rows again, such as when what they refer to exists now",
        "value": {"scope": "rejected", "options": {"mode": "upsert"}},
    },
    "corrected": {
        "summary": "The refused rows from a file that was downloaded, corrected and uploaded",
        "value": {"scope": "rejected", "upload_id": UPLOAD_ID},
    },
    "all": {"summary": "The whole source again", "value": {"scope": "all"}},
}
