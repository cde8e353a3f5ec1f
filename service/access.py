"""API keys: who they let in and where; a key is shown once and kept as its SHA-256."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import Interval, bindparam, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from schemas.vocabulary import Role
from service.config import StaticKey
from service.db.clock import now
from service.db.models import ApiKey, Scope
from service.db.session import make_engine, make_sessions
from service.errors import PermissionDeniedError, UnauthorizedError, ValidationError
from service.ids import new_id
from service.names import NAME_RULE, is_name

_READERS = frozenset(Role)
_WRITERS = frozenset({Role.WRITER, Role.ADMIN})

_NOTED_EVERY = timedelta(minutes=1)
_USE_IS_DUE = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now() - literal(_NOTED_EVERY, Interval))
#: Built once: every request asks it.
_VALID_KEY = (
    select(
        ApiKey.id,
        ApiKey.user_id,
        ApiKey.role,
        ApiKey.requests_per_minute,
        ApiKey.body_max_bytes,
        ApiKey.scope_id,
        Scope.tenant_id,
        Scope.environment_id,
        _USE_IS_DUE.label("use_is_due"),
    )
    .join(Scope, Scope.id == ApiKey.scope_id)
    .where(
        ApiKey.sha256 == bindparam("sha256"),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
    )
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request; every query that it causes is limited to its scope.

    `key_id` names its key for counting and logs. Limits of None are those of the settings.
    """

    scope_id: int
    tenant_id: str
    environment_id: str
    user_id: str
    role: Role
    key_id: str
    requests_per_minute: int | None = None
    body_max_bytes: int | None = None

    def may_read(self) -> bool:
        """Whether the role reads tasks and links."""
        return self.role in _READERS

    def may_write(self) -> bool:
        """Whether the role creates and changes tasks."""
        return self.role in _WRITERS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """Until when a key lets in, and limits of its own; None means for ever, and those of the settings."""

    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    body_max_bytes: int | None = None


def authenticate(session: Session, static_keys: Iterable[StaticKey], key: str, environment_id: str | None) -> Principal:
    """Who calls with this key, whose use may be noted; a caller in a transaction commits.

    `environment_id` is what the request asks for: only static keys, which have none of their own, are let into it.
    Raises UnauthorizedError when the key is unknown, revoked or expired, and PermissionDeniedError when a static key
    comes without an environment of its tenant.

    Stored keys are found by an index over their hashes, whose time tells at most how a hash begins that nobody can
    choose or turn back into a key; those of the settings are compared in constant time.
    """
    sha256 = hash_key(key)
    matching = [static for static in static_keys if compare_digest(static.sha256, sha256)]
    if matching:
        return _enter(session, matching[0], environment_id)
    found = session.execute(_VALID_KEY, {"sha256": sha256}).one_or_none()
    if found is None:
        raise UnauthorizedError
    if found.use_is_due:
        _note_use(session, found.id)
    return Principal(
        found.scope_id,
        found.tenant_id,
        found.environment_id,
        found.user_id,
        Role(found.role),
        found.id,
        found.requests_per_minute,
        found.body_max_bytes,
    )


def new_key() -> str:
    """A fresh API key: 192 random bits."""
    return f"sk_{secrets.token_urlsafe(24)}"


def hash_key(key: str) -> bytes:
    """What is stored of a key. It is random, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).digest()


def store_key(session: Session, scope: Scope, key: str, name: str, role: Role, terms: KeyTerms | None = None) -> ApiKey:
    """Let a key in and give its row; safe to call twice with the same key, whose first row stays as it was."""
    terms = terms or KeyTerms()
    session.execute(
        insert(ApiKey)
        .values(
            id=new_id("key"),
            scope_id=scope.id,
            sha256=hash_key(key),
            name=name,
            role=role,
            user_id=new_id("user"),
            expires_at=terms.expires_at,
            requests_per_minute=terms.requests_per_minute,
            body_max_bytes=terms.body_max_bytes,
        )
        .on_conflict_do_nothing(index_elements=[ApiKey.sha256])
    )
    return session.scalars(select(ApiKey).where(ApiKey.sha256 == hash_key(key))).one()


def ensure_scope(session: Session, tenant_id: str, environment_id: str) -> Scope:
    """The scope of a tenant's environment, made when it is new; raises ValidationError for a name that cannot be."""
    for what, name in {"tenant": tenant_id, "environment": environment_id}.items():
        if not is_name(name):
            message = f"The name of the {what} {NAME_RULE}: {name[:150]!r}"
            raise ValidationError(message, **{what: name[:150]})
    session.execute(insert(Scope).values(tenant_id=tenant_id, environment_id=environment_id).on_conflict_do_nothing())
    return session.scalars(
        select(Scope).where(Scope.tenant_id == tenant_id, Scope.environment_id == environment_id)
    ).one()


def add_key(database_url: str, tenant_id: str, environment_id: str, key: str, name: str, role: Role) -> None:
    """Let a key in from outside a running process, making the scope when it is new; safe to call twice."""
    engine = make_engine(database_url, "wharf-cli")
    with make_sessions(engine).begin() as session:
        store_key(session, ensure_scope(session, tenant_id, environment_id), key, name, role)
    engine.dispose()


def _enter(session: Session, static: StaticKey, environment_id: str | None) -> Principal:
    scope = None
    if environment_id and is_name(environment_id):
        scope = session.scalar(
            select(Scope).where(Scope.tenant_id == static.tenant_id, Scope.environment_id == environment_id)
        )
    if scope is None:
        raise PermissionDeniedError("Invalid or inaccessible environment")
    return Principal(scope.id, scope.tenant_id, scope.environment_id, static.name, Role.ADMIN, f"static:{static.name}")


def _note_use(session: Session, key_id: str) -> None:
    """Write down that a key is in use, at most once a minute; of two requests at once, one does and none waits."""
    due = select(ApiKey.id).where(ApiKey.id == key_id, _USE_IS_DUE).with_for_update(skip_locked=True)
    session.execute(update(ApiKey).where(ApiKey.id == due.scalar_subquery()).values(last_used_at=now()))
