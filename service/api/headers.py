"""The id of each request, and the headers that every answer carries."""

import re

import structlog
from flask import Response, g, request

from service.ids import new_ulid

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

#: Any page may call: what counts is the key, which no browser sends by itself.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Idempotent-Replayed, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
        "X-Request-ID"
    ),
}
_PREFLIGHT = {
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Environment-ID, X-Request-ID"
    ),
    "Access-Control-Max-Age": "86400",
}


def name_request() -> None:
    """Give the request its id, the caller's own or a fresh one, which every line that it logs carries."""
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else new_ulid()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def add_headers(response: Response) -> Response:
    """The id of the request, and what browsers need to know."""
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(_CORS)
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
    return response
