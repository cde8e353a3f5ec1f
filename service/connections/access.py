"""The store behind a connection: opened with its secret, reached through the address guard."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from service.config import Settings
from service.connections.secrets import SecretBox
from service.db.models import Connection
from service.errors import BucketRefusedError, NotConfiguredError
from service.source.guard import AddressGuard, make_target
from service.storage.clients import BucketAccess, Patience, ServerEncryption
from service.storage.objects import ObjectStore
from service.storage.roles import AssumedRole
from service.storage.s3 import S3ObjectStore
from service.storage.sessions import Keys

ENDPOINT_FIELD = "sync_config.s3.endpoint_url"

# boto3 takes a tenth of a second for a client, and each has sockets of its own.
_STORES_KEPT = 64


@dataclass(frozen=True, slots=True)
class GuardedDial:
    """Connections to addresses that the guard allows, for whatever name a store has."""

    guard: AddressGuard

    def __call__(self, scheme: str, host: str, port: int, timeout: float | None) -> socket.socket:
        """A socket connected to a judged address; raises as `AddressGuard.connect`."""
        return self.guard.connect(make_target(scheme, host, port), timeout)


def endpoint_guard(settings: Settings) -> AddressGuard:
    """The rules for the endpoints of customers' stores: those for sources."""
    return AddressGuard(settings.allowed_hosts, field=ENDPOINT_FIELD)


def store_of(settings: Settings, connection: Connection, patience: Patience = "patient") -> ObjectStore:
    """The store of a connection; asks STS where a role is to be assumed, else nothing is sent yet.

    Raises SecretLostError, NotConfiguredError, and what STS and the guard refuse.
    """
    secret = {}
    if connection.sealed_secret is not None:
        secret = SecretBox.from_settings(settings).open(connection.id, connection.sealed_secret)
    return _open(replace(access_of(settings, connection, secret), patience=patience))


def access_of(settings: Settings, connection: Connection, secret: Mapping[str, str]) -> BucketAccess:
    """How the bucket of a connection is reached with its secret, in clear.

    Never with the service's own rights: a connection without keys and role raises NotConfiguredError.
    """
    keys = _keys(secret)
    if keys is None and connection.role_arn is None:
        raise NotConfiguredError(f"The connection {connection.id} has neither keys nor a role")
    access = BucketAccess(
        bucket=connection.bucket,
        region=connection.region,
        endpoint=connection.endpoint_url,
        path_style=connection.use_path_style,
        keys=keys,
        encryption=ServerEncryption(connection.encryption, connection.kms_key_id),
        dial=GuardedDial(endpoint_guard(settings)),
        refusal=BucketRefusedError,
        remedy=f"check the credentials of the connection {connection.id}",
    )
    if connection.role_arn is None:
        return access
    role = AssumedRole(
        arn=connection.role_arn,
        session_name=connection.id,
        region=connection.region,
        external_id=connection.external_id,
        endpoint=settings.sts_endpoint,
        keys=keys or _own_keys(settings),
    )
    return replace(access, keys=None, role=role)


@lru_cache(maxsize=_STORES_KEPT)
def _open(access: BucketAccess) -> ObjectStore:
    return S3ObjectStore.open(access)


def _keys(secret: Mapping[str, str]) -> Keys | None:
    if not secret:
        return None
    return Keys(secret["aws_access_key_id"], secret["aws_secret_access_key"], secret.get("aws_session_token"))


def _own_keys(settings: Settings) -> Keys | None:
    """Who assumes a role for a customer who gave no keys: the service itself."""
    key_id, secret = settings.s3_access_key_id, settings.s3_secret_access_key
    return Keys(key_id, secret) if key_id and secret else None
