"""Requests that create: done once for each Idempotency-Key, in one transaction with their answer."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from service.access import Principal
from service.api.context import context
from service.errors import ValidationError
from service.idempotency import Answer, RequestKey, claim_answer, find_answer, keep_answer

T = TypeVar("T")

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Done:
    """The answer of a request, and whether it was done before."""

    answer: Answer
    replayed: bool

    def response(self) -> Response:
        """The answer as it is sent."""
        response = jsonify(self.answer.body)
        response.status_code = self.answer.status
        response.headers.extend(self.answer.headers)
        if self.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response


def do_once(principal: Principal, check: Callable[[], T], create: Callable[[Session, T], Answer]) -> Done:
    """Check the request, outside of any transaction, then create what it asks for, unless that was done before.

    Raises what `check` and `create` raise, which leaves the key unused, and IdempotencyKeyReusedError.
    """
    named = _request_key(principal)
    if named is not None:
        with context().reads() as session:
            given = find_answer(session, named)
        if given is not None:
            return Done(given, replayed=True)
    checked = check()
    with context().sessions.begin() as session:
        given = claim_answer(session, named) if named else None
        if given is not None:
            return Done(given, replayed=True)
        answer = create(session, checked)
        if named is not None:
            keep_answer(session, named, answer)
    return Done(answer, replayed=False)


def _request_key(principal: Principal) -> RequestKey | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        message = "Invalid request format"
        raise ValidationError(message, **{HEADER: ["Send 1 to 255 visible ASCII characters, such as a UUID."]})
    parts = (request.method.encode(), request.path.rstrip("/").encode(), request.get_data())
    return RequestKey(principal.scope_id, key, hashlib.sha256(b"\0".join(parts)).digest())
