"""The keys that were made, for who looks after them: never the keys themselves, nor their hashes."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, case, select, update
from sqlalchemy.orm import Session

from service.db.clock import now
from service.db.models import ApiKey, Scope
from service.errors import NotFoundError

_KEY_ID = re.compile(r"key_[0-9A-Z]{26}")


class KeyState(StrEnum):
    """Whether a key lets in."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is known of a key."""

    id: str
    name: str
    tenant_id: str
    environment_id: str
    role: str
    user_id: str
    state: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    requests_per_minute: int | None
    body_max_bytes: int | None


def list_keys(session: Session, tenant_id: str | None = None, environment_id: str | None = None) -> list[StoredKey]:
    """The keys of a tenant, of an environment, or all; by scope, the oldest first."""
    query = _stored_keys()
    if tenant_id is not None:
        query = query.where(Scope.tenant_id == tenant_id)
    if environment_id is not None:
        query = query.where(Scope.environment_id == environment_id)
    found = session.execute(query.order_by(Scope.tenant_id, Scope.environment_id, ApiKey.created_at, ApiKey.id))
    return [StoredKey(*row) for row in found]


def revoke_key(session: Session, key_id: str) -> StoredKey:
    """Let a key in no more; safe to call twice, the first time counts. Raises NotFoundError for an id of no key."""
    # What cannot be an id is not looked for, and not repeated either: it may be the key itself.
    if not _KEY_ID.fullmatch(key_id):
        raise NotFoundError("This is not the id of a key: ids begin with key_, and `wharf keys list` shows them")
    session.execute(update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now()))
    found = session.execute(_stored_keys().where(ApiKey.id == key_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"No key has the id {key_id}; `wharf keys list` shows them all", key_id=key_id)
    return StoredKey(*found)


def _stored_keys() -> Select[Any]:
    """Every key with its scope, in the order of StoredKey's fields."""
    state = case(
        (ApiKey.revoked_at.is_not(None), KeyState.REVOKED),
        (ApiKey.expires_at <= now(), KeyState.EXPIRED),
        else_=KeyState.ACTIVE,
    )
    return select(
        ApiKey.id,
        ApiKey.name,
        Scope.tenant_id,
        Scope.environment_id,
        ApiKey.role,
        ApiKey.user_id,
        state,
        ApiKey.created_at,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.last_used_at,
        ApiKey.requests_per_minute,
        ApiKey.body_max_bytes,
    ).join(Scope, Scope.id == ApiKey.scope_id)
