"""The one table from errors to HTTP answers; nothing a caller does gives 500."""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

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
    errors.IdempotencyKeyReusedError: 409,
    errors.TooManyRequestsError: 429,
    errors.NotImplementedYetError: 501,
    errors.NotConfiguredError: 501,
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
    app.register_error_handler(PoolTimeoutError, _answer_database)
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
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return response


def _answer_ours(error: errors.WharfError) -> Response:
    if isinstance(error, errors.UnauthorizedError | errors.PermissionDeniedError):
        return _refuse(error)
    status = _STATUSES.get(type(error), _KIND_STATUSES[error.kind])
    if error.kind is not ErrorKind.USAGE:
        log_failure("request_failed", error)
    return _answer(error.code, error.message, status, error.details)


def _refuse(error: errors.UnauthorizedError | errors.PermissionDeniedError) -> Response:
    """Clients expect a looser body here."""
    denied = isinstance(error, errors.PermissionDeniedError)
    response = jsonify({"error": "Access denied" if denied else error.message, "message": error.message})
    response.status_code = _STATUSES[type(error)]
    if not denied:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _answer_http(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    otherwise = "validation_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal_error"
    response = _answer(_HTTP_CODES.get(status, otherwise), _tell(error), status)
    response.headers.extend({k: v for k, v in error.get_headers() if k.lower() in {"allow", "location"}})
    return response


def _tell(error: HTTPException) -> str:
    match error:
        case NotFound():
            return f"There is no route {request.path}; /openapi.json names them all"
        case MethodNotAllowed():
            return f"{request.path} takes no {request.method}; use {', '.join(sorted(error.valid_methods or ()))}"
        case RequestEntityTooLarge():
            return f"The body is longer than the {request.max_content_length} bytes that this API key may send"
        case _:
            return error.description or error.name


def _answer_database(error: DBAPIError | PoolTimeoutError) -> Response:
    log_failure("request_failed", error)
    if is_database_away(error):
        return _answer("service_unavailable", "The database does not answer; try again", 503)
    return _answer("database_error", "An unexpected error occurred", 500)


def _answer_unexpected(error: Exception) -> Response:
    log_failure("request_failed", error)
    return _answer("internal_error", "An unexpected error occurred", 500)
