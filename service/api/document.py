"""The OpenAPI document: what is said once for all routes, and how bodies become JSON Schema."""

import inspect
from copy import deepcopy
from http import HTTPStatus
from typing import Any, NamedTuple

import marshmallow
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask_smorest import Api as SmorestApi

from schemas.base import BodySchema
from schemas.errors import DeniedSchema, ErrorSchema
from schemas.given_export_options import ExportOptionsSchema
from schemas.given_options import ImportOptionsSchema
from service import __version__
from service.api.errors import error_body

_DESCRIPTION = """\
Wharf moves data in and out: it imports files into SQL and exports SQL to files, as tracked tasks.

**Keys.** Send an API key as `x-api-key`, or as a bearer's token. It is pinned to one tenant and one environment; a key
of the operator's settings acts in the environment that `X-Environment-ID` names.

**Tasks.** Create one, then read it until its `task_status` is COMPLETED or FAILED: `Location` says where, `Retry-After`
how many seconds to wait. To import a file of your own, make an upload, PUT the bytes to its link, and create a task
with the `upload_id`.

**Rows.** A row that cannot go in is refused by itself, and the others go in. `GET /v1/tasks/{task_id}/errors` says why,
`…/errors/download` gives the refused rows as a file like the source, and `…/retry` imports them again. A dry run
(`options`) checks all rows and writes none; its `plan_id` then loads the very bytes that it checked.

**Errors.** `code` is for programs, `message` for people, `details` names the field and what to do. Nothing is ever
answered with 422. 401 and 403 have a shorter body. Keys of a request that are not known here are ignored.

**Pages.** A list takes `limit` and `offset`, and its `pagination.total` counts all matches exactly. The order is total:
no task is on two pages unless tasks are created meanwhile.

**Doing things once.** With an `Idempotency-Key`, a request that creates may be sent again for 24 hours: the same key
and the same body give the first answer, marked `Idempotent-Replayed: true`; another body gives 409.
"""

SPEC = {
    "API_TITLE": "Wharf",
    "API_VERSION": __version__,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {"description": _DESCRIPTION, "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"api_key": []}, {"bearer": []}],
    },
}

_SECURITY = {
    "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same keys, for clients that cannot set another header.",
    },
}

REQUEST_ID, ENVIRONMENT_ID, IDEMPOTENCY_KEY = "X-Request-ID", "X-Environment-ID", "Idempotency-Key"

_PARAMETERS: dict[str, dict[str, Any]] = {
    REQUEST_ID: {
        "description": (
            "Comes back in the answer, and stands in our logs. "
            "Anything but 1 to 128 visible ASCII characters is replaced by a fresh id."
        ),
        "schema": {"type": "string"},
    },
    ENVIRONMENT_ID: {
        "description": "The environment to act in; needed with keys of the operator's settings, else ignored.",
        "schema": {"type": "string"},
    },
    IDEMPOTENCY_KEY: {
        "description": "Names this request, such as by a UUID, so that it can be sent again and is done once.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    },
}

PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    name: {
        "in": "path",
        "name": name,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "examples": [example]},
    }
    for name, description, example in (
        ("task_id", "The id of a task.", "task_01KA2NS4E0YGT9W3D6HPCX7MBZ"),
        ("schedule_id", "The id of a schedule.", "schtask_01KA2P0M6D4X9CZ7QK5VBN1HRE"),
        ("connection_id", "The id of a connection.", "conn_01KA2NB6V4Z8RX1M5QD0TC7HGE"),
    )
}

_LIMITED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def _header(description: str, example: Any, *, always: bool = False, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": always, "schema": schema, "example": example}


_HEADERS = {
    REQUEST_ID: _header("The request's own id, or a fresh one.", "import-2026-03-02", always=True, type="string"),
    "RateLimit-Limit": _header("Requests a minute that the key may send, if limited.", 6000, type="integer"),
    "RateLimit-Remaining": _header("How many are left.", 5999, type="integer", minimum=0),
    "RateLimit-Reset": _header("Seconds until it begins anew.", 42, type="integer", minimum=0),
    "Retry-After": _header("Seconds to wait.", 1, always=True, type="integer", minimum=0),
    "Location": _header("The task.", "/v1/tasks/task_01KA2NS4E0YGT9W3D6HPCX7MBZ", always=True, type="string"),
    "Idempotent-Replayed": _header("There when the answer was given before.", "true", type="string", enum=["true"]),
}


class _Told(NamedTuple):
    """An error as the document shows it."""

    when: str
    code: str
    message: str
    details: dict[str, Any]
    headers: tuple[str, ...] = _LIMITED


_ERRORS = {
    HTTPStatus.BAD_REQUEST: _Told(
        "The request is wrong: a parameter, a header or the body.",
        "validation_error",
        "Invalid task type",
        {"task_type": ["'MOVE' is not one of IMPORT, EXPORT."]},
    ),
    HTTPStatus.NOT_FOUND: _Told(
        "There is none, or none in this environment.",
        "not_found",
        "Task not found",
        {"task_id": "task_01KA2NS4E0YGT9W3D6HPCX7MBZ"},
    ),
    HTTPStatus.CONFLICT: _Told(
        "The Idempotency-Key was used with another body.",
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request; send a new key with a new body",
        {"idempotency_key": "0b6ff9b1-7f0e-4c41-a8f5-3a3f9d2c6f10"},
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _Told(
        "The body is longer than the key may send.",
        "too_large",
        "The body is longer than the 1048576 bytes that this API key may send",
        {},
    ),
    HTTPStatus.TOO_MANY_REQUESTS: _Told(
        "The key has sent more than it may in a minute.",
        "too_many_requests",
        "Too many requests with this API key; wait as long as Retry-After says",
        {"limit": 6000, "window_seconds": 60, "retry_after_seconds": 42},
        (*_LIMITED, "Retry-After"),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: _Told(
        "A fault of ours; the log has it under the X-Request-ID.",
        "internal_error",
        "An unexpected error occurred",
        {},
    ),
    HTTPStatus.NOT_IMPLEMENTED: _Told(
        "Not built yet.",
        "not_implemented",
        "Scheduled tasks are not implemented yet; create an EXPORT task each time",
        {},
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: _Told(
        "Something that we need does not answer; try again.",
        "service_unavailable",
        "The database does not answer; try again",
        {},
        (*_LIMITED, "Retry-After"),
    ),
}
_DENIED = {
    HTTPStatus.UNAUTHORIZED: ("There is no usable key.", "Unauthorized", "Unauthorized", ()),
    HTTPStatus.FORBIDDEN: (
        "The key may not do this, or not in this environment.",
        "Access denied",
        "insufficient permissions",
        _LIMITED,
    ),
}

#: What any route may answer, and what only those behind a key may.
PUBLIC_ERRORS = (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
GUARDED_ERRORS = (
    *PUBLIC_ERRORS,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def error_name(status: int) -> str:
    """The name of an error's component."""
    return f"Error{status:d}"


def named_headers(*names: str) -> dict[str, str]:
    """References to the headers of an answer; all carry an X-Request-ID."""
    return {name: name for name in (REQUEST_ID, *names)}


def guarded_headers(*names: str) -> dict[str, str]:
    """The same for an answer to a key that may be limited."""
    return named_headers(*names, *_LIMITED)


CREATED = named_headers("Location", "Retry-After", "Idempotent-Replayed")


class Api(SmorestApi):
    """Writes the document; the blueprints add their routes."""

    # Every error is told by its status.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _init_spec(self, **options: Any) -> None:
        super()._init_spec(marshmallow_plugin=_BodyPlugin(), **options)
        for name, scheme in _SECURITY.items():
            self.spec.components.security_scheme(name, scheme)
        for name, parameter in _PARAMETERS.items():
            self.spec.components.parameter(name, "header", parameter)
        for name, header in _HEADERS.items():
            self.spec.components.header(name, header)
        # Which of them a new task takes depends on its type, so no field of a body says it.
        for schema in (ImportOptionsSchema, ExportOptionsSchema):
            self.spec.components.schema(schema.__name__.removesuffix("Schema"), schema=schema)

    def _register_responses(self) -> None:
        """The errors, which routes name by `error_name`."""
        for status, told in _ERRORS.items():
            example = error_body(told.code, told.message, status, told.details)
            self._register_response(status, told.when, ErrorSchema, example, told.headers)
        for status, (when, error, message, headers) in _DENIED.items():
            self._register_response(status, when, DeniedSchema, {"error": error, "message": message}, headers)

    def _register_pagination_header(self) -> None:
        """No route uses it."""

    def _register_response(
        self, status: HTTPStatus, when: str, schema: type[BodySchema], example: Any, headers: tuple[str, ...]
    ) -> None:
        content = {self.DEFAULT_RESPONSE_CONTENT_TYPE: {"schema": schema, "example": example}}
        response = {"description": when, "headers": named_headers(*headers), "content": content}
        self.spec.components.response(error_name(status), response, lazy=True)


class _BodyConverter(OpenAPIConverter):
    """Makes JSON Schema of bodies."""

    def schema2jsonschema(self, schema: marshmallow.Schema) -> dict[str, Any]:
        """Add what the schema's docstring and its `also` say."""
        body = resolve_schema_instance(schema)
        told = super().schema2jsonschema(body)  # type: ignore[no-untyped-call]
        also = deepcopy(dict(getattr(body, "also", {})))
        return {"description": inspect.getdoc(type(body)), **told, **also}

    def field2default(self, field: marshmallow.fields.Field[Any], **options: Any) -> dict[str, Any]:
        """Null or "" as a default says nothing, and is often no value that may be sent."""
        return {key: value for key, value in super().field2default(field, **options).items() if value not in {None, ""}}

    def field2required(self, field: marshmallow.fields.Field[Any], **options: Any) -> dict[str, Any]:
        """A parameter may be needed though its schema lets it pass, where its lack has an error of its own."""
        return super().field2required(field, **options) | ({"required": True} if "needed" in field.metadata else {})


class _BodyPlugin(MarshmallowPlugin):
    Converter = _BodyConverter
