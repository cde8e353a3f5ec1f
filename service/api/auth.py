"""Who calls: the API key of a request gives its scope and role."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from flask import request

from service.access import Principal, find_principal
from service.api.context import context
from service.errors import PermissionDeniedError, UnauthorizedError

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
        if not allowed(principal):
            raise PermissionDeniedError
        return handler(principal, *args, **kwargs)

    return guarded


def _principal() -> Principal:
    key = request.headers.get("x-api-key", "")
    with context().sessions() as session:
        principal = find_principal(session, key) if key else None
    if principal is None:
        raise UnauthorizedError
    return principal
