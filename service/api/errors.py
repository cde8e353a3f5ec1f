"""The one table from errors to HTTP answers; nothing a caller does gives 500."""

from typing import Any

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from schemas.vocabulary import ErrorKind
from service import errors
from service.tracking.settle import is_database_away, log_failure

_log = structlog.get_logger(__name__)

_STATUSES: dict[type[errors.WharfError], int] = {
    errors.ValidationError: 400,
    errors.UnauthorizedError: 401,
    errors.PermissionDeniedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.NotImplementedYetError: 501,
}
_KIND_STATUSES = {ErrorKind.USAGE: 400, ErrorKind.TRANSIENT: 503, ErrorKind.FATAL: 500}
_HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_RETRY_AFTER_SECONDS = "5"


def register_error_handlers(app: Flask) -> None:
    """Answer every error with a JSON body."""
    app.register_error_handler(errors.WharfError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(DBAPIError, _answer_database)
    app.register_error_handler(Exception, _answer_unexpected)


def error_body(code: str, message: str, status: int, details: dict[str, Any]) -> dict[str, Any]:
    """A body that satisfies clients of both error generations."""
    return {
        "code": code,
        "message": message,
        "http_status_code": status,
        "details": details,
        "success": False,
        "error": {
            "message": message,
            "internal_error": code.replace("_", " "),
            "details": details,
        },
    }


def _answer(code: str, message: str, status: int, details: dict[str, Any] | None = None) -> Response:
    response = jsonify(error_body(code, message, status, details or {}))
    response.status_code = status
    if status == 503:  # noqa: PLR2004  # the one status that says when to come back
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return response


def _answer_ours(error: errors.WharfError) -> Response:
    if isinstance(error, errors.UnauthorizedError | errors.PermissionDeniedError):
        response = jsonify({"error": error.message, "message": error.message})
        response.status_code = _STATUSES[type(error)]
        return response
    status = _STATUSES.get(type(error), _KIND_STATUSES[error.kind])
    if error.kind is not ErrorKind.USAGE:
        log_failure("request_failed", error)
    return _answer(error.code, error.message, status, error.details)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    response = _answer(
        _HTTP_CODES.get(status, "validation_error"),
        error.description or error.name,
        status,
    )
    response.headers.extend({k: v for k, v in error.get_headers() if k.lower() in {"allow", "location"}})
    return response


def _answer_database(error: DBAPIError) -> Response:
    log_failure("request_failed", error)
    if is_database_away(error):
        return _answer("service_unavailable", "The database does not answer; try again", 503)
    return _answer("database_error", "An unexpected error occurred", 500)


def _answer_unexpected(error: Exception) -> Response:
    log_failure("request_failed", error)
    return _answer("internal_error", "An unexpected error occurred", 500)
