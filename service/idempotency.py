"""A request sent twice under one Idempotency-Key is done once, and answered twice with the same answer."""

from dataclasses import dataclass
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.db.clock import now, seconds_from_now
from service.db.models import IdempotentAnswer
from service.errors import IdempotencyKeyReusedError, RequestInHandError

KEPT_HOURS = 24
_FORGOTTEN_AT_ONCE = 1000
_STALE = IdempotentAnswer.created_at < seconds_from_now(-KEPT_HOURS * 3600)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A request by the name that its caller gave it; the hash is of method, path and body."""

    scope_id: int
    key: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def find_answer(session: Session, request: RequestKey) -> Answer | None:
    """What the request was answered before; None when it is new.

    Raises IdempotencyKeyReusedError when the key was used for another request.
    """
    given = session.scalar(
        select(IdempotentAnswer).where(
            IdempotentAnswer.scope_id == request.scope_id, IdempotentAnswer.key == request.key, ~_STALE
        )
    )
    if given is None:
        return None
    if given.request_sha256 != request.sha256:
        raise IdempotencyKeyReusedError(idempotency_key=request.key)
    return Answer(given.http_status or 0, given.headers or {}, given.body or {})


def claim_answer(session: Session, request: RequestKey) -> Answer | None:
    """Take the right to answer; None when it was had, else what another request has answered meanwhile.

    A twin waits here until the first has committed. The caller keeps its answer in the same transaction.
    Raises IdempotencyKeyReusedError as `find_answer` does, RequestInHandError when the first takes too long.
    """
    mine = {"request_sha256": request.sha256, "created_at": now()}
    claim = insert(IdempotentAnswer).values(scope_id=request.scope_id, key=request.key, **mine)
    claim = claim.on_conflict_do_update(
        index_elements=[IdempotentAnswer.scope_id, IdempotentAnswer.key], set_=mine, where=_STALE
    )
    try:
        claimed = session.scalar(claim.returning(IdempotentAnswer.key))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise RequestInHandError(idempotency_key=request.key) from error
        raise
    if claimed is not None:
        return None
    return find_answer(session, request)


def keep_answer(session: Session, request: RequestKey, answer: Answer) -> None:
    """Keep the answer of a request that was claimed in this transaction."""
    session.execute(
        update(IdempotentAnswer)
        .where(IdempotentAnswer.scope_id == request.scope_id, IdempotentAnswer.key == request.key)
        .values(http_status=answer.status, headers=answer.headers, body=answer.body)
    )


def forget_old_answers(session: Session) -> None:
    """Remove some answers that are too old to be given again; the caller commits."""
    old = (
        select(IdempotentAnswer.scope_id, IdempotentAnswer.key)
        .where(_STALE)
        .limit(_FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte()
    )
    session.execute(
        delete(IdempotentAnswer).where(IdempotentAnswer.scope_id == old.c.scope_id, IdempotentAnswer.key == old.c.key)
    )
