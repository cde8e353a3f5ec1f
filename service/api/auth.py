"""Who calls: the API key of a request gives its scope, its role and its limits."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from flask import Response, after_this_request, request
from structlog.contextvars import bind_contextvars

from service.access import Principal, authenticate
from service.api.context import context
from service.errors import PermissionDeniedError, TooManyRequestsError, UnauthorizedError
from service.rate_limit import Allowance

P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[Concatenate[Principal, P], R]


def reads(handler: Handler[P, R]) -> Callable[P, R]:
    """The handler is given a principal that may read."""
    return _guard(handler, Principal.may_read)


def writes(handler: Handler[P, R]) -> Callable[P, R]:
    """The handler is given a principal that may write."""
    return _guard(handler, Principal.may_write)


def _guard(handler: Handler[P, R], allowed: Callable[[Principal], bool]) -> Callable[P, R]:
    @wraps(handler)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        principal = _principal()
        bind_contextvars(tenant_id=principal.tenant_id, key_id=principal.key_id)
        _limit(principal)
        if not allowed(principal):
            raise PermissionDeniedError
        return handler(principal, *args, **kwargs)

    return guarded


def _principal() -> Principal:
    """The caller by `x-api-key`; by a bearer's token where there is no such header, or it names nobody."""
    key, authorization = request.headers.get("x-api-key"), request.headers.get("Authorization")
    if key:
        try:
            return _find(key)
        except UnauthorizedError:
            if authorization is None:
                raise
    if authorization is None:
        raise UnauthorizedError
    return _bearer(authorization)


def _bearer(authorization: str) -> Principal:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("Invalid authorization header format")
    try:
        return _find(token.strip())
    except UnauthorizedError as error:
        raise UnauthorizedError("Invalid token") from error


def _find(key: str) -> Principal:
    environment_id, here = _environment_id(), context()

    def look_up() -> Principal:
        with here.reads() as session:
            return authenticate(session, here.settings.static_keys, key, environment_id)

    return here.callers.find(key, environment_id, look_up)


def _environment_id() -> str | None:
    """WSGI gives headers as Latin-1, and clients send UTF-8; what is neither names no environment anyway."""
    header = request.headers.get("X-Environment-ID")
    return header and header.encode("latin-1").decode("utf-8", errors="replace")


def _limit(principal: Principal) -> None:
    """Hold the request to the limits of its key; raises TooManyRequestsError."""
    settings = context().settings
    request.max_content_length = principal.body_max_bytes or settings.body_max_bytes
    own_limit = principal.requests_per_minute
    limit = settings.requests_per_minute if own_limit is None else own_limit
    allowance = context().rate_limiter.count(principal.key_id, limit) if limit else None
    if allowance is None:
        return
    after_this_request(lambda response: _tell(response, allowance))
    if allowance.exceeded:
        raise TooManyRequestsError(
            limit=allowance.limit, window_seconds=60, retry_after_seconds=allowance.reset_seconds
        )


def _tell(response: Response, allowance: Allowance) -> Response:
    response.headers["RateLimit-Limit"] = str(allowance.limit)
    response.headers["RateLimit-Remaining"] = str(allowance.remaining)
    response.headers["RateLimit-Reset"] = str(allowance.reset_seconds)
    if allowance.exceeded:
        response.headers["Retry-After"] = str(allowance.reset_seconds)
    return response
