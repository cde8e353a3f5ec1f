"""Which bucket a task reads or writes: the service's own, or one that a connection leads to."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.vocabulary import RowStatus
from service.config import Settings
from service.connections.access import store_of
from service.connections.places import PREFIX_RULE, Place, as_prefix, is_key, read_place
from service.db.models import Connection, Task
from service.db.session import Sessions
from service.errors import NotFoundError, ValidationError
from service.storage.clients import Patience
from service.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Destination:
    """Where export objects go: a store, its bucket's name, and what their keys begin with ("" or ending in `/`)."""

    store: ObjectStore
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A connection for a place, and the prefix or the key there."""

    connection: Connection
    path: str


def find_destination(
    sessions: Sessions,
    settings: Settings,
    own_store: ObjectStore,
    scope_id: int,
    file_url: str,
    connection_id: str | None = None,
    *,
    patience: Patience = "patient",
) -> Destination:
    """The bucket that "" (the service's own) or `s3://bucket[/prefix]` (a connection's) means to a scope.

    With `connection_id` it is that connection, as it was chosen when the task was created. Raises ValidationError when
    no connection of the scope leads there, NotFoundError when the connection was deleted meanwhile, and as `store_of`.
    """
    if not file_url:
        return Destination(own_store, settings.s3_bucket, "")
    with sessions() as session:
        if connection_id is None:
            chosen = choose_destination(session, scope_id, file_url)
        else:
            chosen = _choose_again(_find_connection(session, connection_id), read_place(file_url))
    return Destination(store_of(settings, chosen.connection, patience), chosen.connection.bucket, chosen.path)


def find_object(
    sessions: Sessions, settings: Settings, own_store: ObjectStore, task: Task, *, patience: Patience = "patient"
) -> tuple[ObjectStore, str]:
    """The store and the key of what a task's `file_url` names: an export's object, or an import's source.

    Raises NotFoundError when the connection was deleted, or the service has another bucket now, and as `store_of`.
    """
    place = read_place(task.file_url)
    if task.connection_id is not None:
        with sessions() as session:
            return store_of(settings, _find_connection(session, task.connection_id), patience), place.path
    if place.bucket != settings.s3_bucket:
        message = f"The object is in the bucket {place.bucket}, which the service no longer uses"
        raise NotFoundError(message, task_id=task.id, file_url=task.file_url)
    return own_store, place.path


def choose_destination(session: Session, scope_id: int, file_url: str) -> Chosen:
    """The connection that an export to `s3://bucket[/prefix]` uses, and the prefix of its keys.

    Of connections to the bucket the one whose `key_prefix` is the longest that fits, of equals the newest; a bucket
    without prefix means the one connection that it has. Raises ValidationError that names the remedy.
    """
    place = read_place(file_url)
    if as_prefix(place.path) is None:
        raise ValidationError("Invalid file URL", file_url=[f"{place.path!r:.150} is no prefix: it has {PREFIX_RULE}."])
    there = _connections_to(session, scope_id, place)
    fitting = [Chosen(one, path) for one in there if (path := _prefix_within(one, place)) is not None]
    if not fitting and not place.path and len(there) == 1:
        return Chosen(there[0], there[0].key_prefix)
    return _longest(fitting, there, place)


def choose_source(session: Session, scope_id: int, file_url: str) -> Chosen:
    """The connection that an import from `s3://bucket/key` uses, and the key; chosen and raised as for an export."""
    place = read_place(file_url)
    if not is_key(place.path) or place.path.endswith("/"):
        message = "File URL must be in format s3://bucket/key"
        raise ValidationError(message, file_url=[f"{place.path!r:.150} is no key of an object."])
    there = _connections_to(session, scope_id, place)
    fitting = [Chosen(one, place.path) for one in there if place.path.startswith(one.key_prefix)]
    return _longest(fitting, there, place)


def _connections_to(session: Session, scope_id: int, place: Place) -> list[Connection]:
    """The scope's connections to a bucket, the newest first; raises ValidationError when there is none."""
    found = session.scalars(
        select(Connection)
        .where(
            Connection.scope_id == scope_id,
            Connection.bucket == place.bucket,
            Connection.status == RowStatus.PUBLISHED,
            ~Connection.is_managed,
        )
        .order_by(Connection.created_at.desc(), Connection.id.desc())
    ).all()
    if not found:
        told = f"There is no connection to the bucket {place.bucket!r}; create one with POST /v1/connections."
        raise ValidationError("Invalid file URL", file_url=[told])
    return list(found)


def _longest(fitting: list[Chosen], there: Iterable[Connection], place: Place) -> Chosen:
    """The one with the longest prefix; `max` gives the first of equals, which is the newest."""
    if not fitting:
        reached = ", ".join(f"s3://{one.bucket}/{one.key_prefix} ({one.id})" for one in there)
        told = f"{place.url!r:.200} is outside of what connections reach: {reached:.600}."
        raise ValidationError("Invalid file URL", file_url=[told])
    return max(fitting, key=lambda chosen: len(chosen.connection.key_prefix))


def _prefix_within(connection: Connection, place: Place) -> str | None:
    """The prefix that a place asks for, if it is inside the connection's."""
    prefix = as_prefix(place.path)
    return prefix if prefix is not None and prefix.startswith(connection.key_prefix) else None


def _choose_again(connection: Connection, place: Place) -> Chosen:
    """The prefix of a place whose connection was chosen before; its `key_prefix` may have been changed since."""
    if not place.path:
        return Chosen(connection, connection.key_prefix)
    prefix = _prefix_within(connection, place)
    return _longest([Chosen(connection, prefix)] if prefix is not None else [], [connection], place)


def _find_connection(session: Session, connection_id: str) -> Connection:
    connection = session.get(Connection, connection_id)
    if connection is None or not connection.is_published:
        message = (
            f"The connection {connection_id} was deleted, so its bucket can no longer be reached; "
            "fetch the object from the bucket itself, or create a new connection and the task again"
        )
        raise NotFoundError(message, connection_id=connection_id)
    return connection
