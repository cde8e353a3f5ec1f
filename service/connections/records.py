"""The rows of connections: made, found, changed and deleted. The session is the caller's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from schemas.vocabulary import ProviderType, RowStatus
from service.config import Settings
from service.connections.access import access_of
from service.connections.check import check_connection
from service.connections.secrets import SecretBox
from service.connections.terms import Terms
from service.db.clock import now
from service.db.models import Connection
from service.errors import ConflictError, NotFoundError
from service.ids import new_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which connections of a scope; None means any."""

    status: str = RowStatus.PUBLISHED
    provider_type: str | None = None
    ids: Collection[str] | None = None


def make_connection(settings: Settings, scope_id: int, name: str, terms: Terms, **columns: Any) -> Connection:
    """A connection that was tried and is not yet in its table; not for inside a transaction.

    Raises NotConfiguredError where secrets cannot be kept, and as `check_connection`.
    """
    box = SecretBox.from_settings(settings)
    connection_id = new_id("conn")
    connection = Connection(
        id=connection_id,
        scope_id=scope_id,
        name=name,
        provider_type=ProviderType.S3,
        sealed_secret=box.seal(connection_id, terms.secret) if terms.secret else None,
        **terms.columns,
        **columns,
    )
    _try(settings, connection, terms.secret or {})
    return connection


def find_connection(session: Session, scope_id: int, connection_id: str) -> Connection:
    """The connection, if it is the scope's and was not deleted; raises NotFoundError otherwise."""
    connection = session.get(Connection, connection_id)
    if connection is None or connection.scope_id != scope_id or not connection.is_published:
        message = f"Connection with ID {connection_id:.150} was not found"
        raise NotFoundError(message, connection_id=connection_id)
    return connection


def list_connections(
    session: Session, scope_id: int, wanted: Wanted, limit: int, offset: int
) -> tuple[Sequence[Connection], int]:
    """A page of a scope's connections, the newest first, and how many match."""
    matches = [Connection.scope_id == scope_id, Connection.status == wanted.status]
    if wanted.provider_type is not None:
        matches.append(Connection.provider_type == wanted.provider_type)
    if wanted.ids is not None:
        matches.append(Connection.id.in_(wanted.ids))
    order = Connection.created_at.desc(), Connection.id.desc()
    page = select(Connection).where(*matches).order_by(*order).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(Connection).where(*matches)) or 0
    return session.scalars(page).all(), total


def try_change(settings: Settings, connection: Connection, terms: Terms) -> dict[str, Any]:
    """The columns of a connection after a change that was tried; not for inside a transaction.

    Raises SecretLostError where the secret stays and cannot be read, and as `make_connection`.
    """
    values = dict(terms.columns)
    box = SecretBox.from_settings(settings)
    secret = terms.secret
    if secret is not None:
        values["sealed_secret"] = box.seal(connection.id, secret)
    elif connection.sealed_secret is not None:
        secret = box.open(connection.id, connection.sealed_secret)
    _try(settings, Connection(id=connection.id, **terms.columns), secret or {})
    return values


def change_connection(session: Session, seen: Connection, **values: Any) -> Connection:
    """Write a change of a connection as it was `seen`; raises ConflictError when it is another by now."""
    changed = session.scalars(
        update(Connection)
        .where(
            Connection.id == seen.id,
            Connection.status == RowStatus.PUBLISHED,
            Connection.updated_at == seen.updated_at,
        )
        .values(updated_at=now(), **values)
        .returning(Connection)
    ).one_or_none()
    if changed is None:
        message = "Somebody else changed or deleted this connection at the same moment; read it and try again"
        raise ConflictError(message, connection_id=seen.id)
    return changed


def delete_connection(session: Session, scope_id: int, connection_id: str, user_id: str) -> None:
    """Forget the secret and let nothing use the connection any more; raises NotFoundError when there is none."""
    deleted = session.scalar(
        update(Connection)
        .where(
            Connection.id == connection_id,
            Connection.scope_id == scope_id,
            Connection.status == RowStatus.PUBLISHED,
        )
        .values(status=RowStatus.DELETED, sealed_secret=None, updated_at=now(), updated_by=user_id)
        .returning(Connection.id)
    )
    if deleted is None:
        find_connection(session, scope_id, connection_id)


def rotate_secrets(session: Session, box: SecretBox) -> int:
    """Seal every secret with the first key; returns how many there are.

    The rows are locked, so that no change made meanwhile is undone. Raises SecretLostError, and nothing is changed
    then: a key may be taken away only when all secrets have been sealed anew.
    """
    sealed = session.scalars(
        select(Connection).where(Connection.sealed_secret.is_not(None)).order_by(Connection.id).with_for_update()
    ).all()
    for connection in sealed:
        connection.sealed_secret = box.seal_anew(connection.id, str(connection.sealed_secret))
    return len(sealed)


def _try(settings: Settings, connection: Connection, secret: dict[str, str]) -> None:
    if connection.is_managed:
        return
    access = access_of(settings, connection, secret)
    check_connection(settings, access, connection.key_prefix, with_own_keys=not secret)
