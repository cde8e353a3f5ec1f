"""API keys: who may do what in which scope; a key is shown once and kept as its SHA-256."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from schemas.vocabulary import Role
from service.db.clock import now
from service.db.models import ApiKey, Scope
from service.db.session import make_engine, make_sessions
from service.ids import new_id

_READERS = frozenset(Role)
_WRITERS = frozenset({Role.WRITER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request; every query that it causes is limited to its scope."""

    scope_id: int
    tenant_id: str
    environment_id: str
    user_id: str
    role: Role

    def may_read(self) -> bool:
        """Whether the role reads tasks and links."""
        return self.role in _READERS

    def may_write(self) -> bool:
        """Whether the role creates and changes tasks."""
        return self.role in _WRITERS


def new_key() -> str:
    """A fresh API key: 192 random bits."""
    return f"sk_{secrets.token_urlsafe(24)}"


def hash_key(key: str) -> bytes:
    """What is stored of a key. It is random, so a fast hash is enough, and looking it up leaks nothing."""
    return hashlib.sha256(key.encode()).digest()


def find_principal(session: Session, key: str) -> Principal | None:
    """Whose key this is; None when it is unknown, revoked or expired."""
    found = session.execute(
        select(ApiKey, Scope)
        .join(Scope, Scope.id == ApiKey.scope_id)
        .where(
            ApiKey.sha256 == hash_key(key),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
        )
    ).one_or_none()
    if found is None:
        return None
    api_key, scope = found
    return Principal(scope.id, scope.tenant_id, scope.environment_id, api_key.user_id, Role(api_key.role))


def store_key(session: Session, scope: Scope, key: str, name: str, role: Role) -> None:
    """Let a key in; safe to call twice with the same key."""
    session.execute(
        insert(ApiKey)
        .values(id=new_id("key"), scope_id=scope.id, sha256=hash_key(key), name=name, role=role, user_id=new_id("user"))
        .on_conflict_do_nothing(index_elements=[ApiKey.sha256])
    )


def ensure_scope(session: Session, tenant_id: str, environment_id: str) -> Scope:
    """The scope of a tenant's environment, made when it is new."""
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
