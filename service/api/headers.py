"""Headers that every answer carries."""

import re

from flask import Response, request

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


def add_headers(response: Response) -> Response:
    """The id of the request, the caller's own or a fresh one, and what browsers need to know."""
    given = request.headers.get("X-Request-ID", "")
    response.headers["X-Request-ID"] = given if _REQUEST_ID.fullmatch(given) else new_ulid()
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(_CORS)
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
    return response
