"""Whether a connection does what it will be asked to do: a small object is written, read and deleted."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from service.config import Settings
from service.connections.access import endpoint_guard
from service.errors import NotFoundError, StoreRefusedError, ValidationError, WharfError
from service.ids import new_ulid
from service.source.resolver import ResolverBusyError
from service.storage.clients import BucketAccess
from service.storage.objects import ObjectHead, ObjectStore
from service.storage.roles import AssumedRole, assume_role
from service.storage.s3 import S3ObjectStore

_CONTENT = b"Wharf wrote this to see that it may, and deletes it at once.\n"
_CONTENT_TYPE = "text/plain; charset=utf-8"

_REMEDIES = {
    "assume": "let the role trust whoever the keys belong to, on the condition that sts:ExternalId is {external_id}",
    "write": "allow s3:PutObject under the key prefix, and kms:GenerateDataKey where a key of yours encrypts",
    "encrypt": "leave encryption out, or use a store that encrypts as asked and says so",
    "read": "allow s3:GetObject under the key prefix, and kms:Decrypt where a key of yours encrypts",
    "delete": "allow s3:DeleteObject under the key prefix",
}


def check_connection(settings: Settings, access: BucketAccess, key_prefix: str, *, with_own_keys: bool) -> None:
    """Write, read and delete an object under the prefix, encrypted as asked; not for inside a transaction.

    `with_own_keys`: a role is assumed with the service's own keys, so it must ask for its external id. Raises
    ValidationError that names the step that failed, why, and what to do; for an endpoint that may not be reached, as
    the guard does.
    """
    if access.endpoint is not None:
        endpoint_guard(settings).admit(access.endpoint)
    with _step("assume", access):
        store = S3ObjectStore.open(replace(access, patience="brisk"))
        if access.role is not None and with_own_keys:
            _check_external_id(access.role)
    key = f"{key_prefix}wharf-check-{new_ulid()}"
    with _step("write", access):
        written = store.put(key, _CONTENT, _CONTENT_TYPE, {})
    try:
        _check_encryption(access, written)
        _read(access, store, key)
    except WharfError:
        with suppress(WharfError):
            store.delete(key)
        raise
    with _step("delete", access):
        store.delete(key)


def _check_external_id(role: AssumedRole) -> None:
    """Without this anybody who knows a role that trusts us could use it through us."""
    try:
        assume_role(replace(role, external_id=None))
    except StoreRefusedError:
        return
    raise StoreRefusedError("The role can be had without its external id")


def _check_encryption(access: BucketAccess, written: ObjectHead) -> None:
    asked = access.encryption.algorithm
    if asked is not None and written.encryption != asked:
        told = f"the store did not say that it encrypts with {asked}, but {written.encryption or 'nothing'}"
        raise _failed("encrypt", told, access)


def _read(access: BucketAccess, store: ObjectStore, key: str) -> None:
    with _step("read", access):
        content = store.open_range(key, 0, len(_CONTENT))
    if content != _CONTENT:
        raise _failed("read", "other bytes came back than were written", access)


@contextmanager
def _step(step: str, access: BucketAccess) -> Iterator[None]:
    """What fails inside is told as the failure of this step; refusals of the guard are told as they are."""
    try:
        yield
    except (ValidationError, ResolverBusyError):
        raise
    except NotFoundError as error:
        raise _failed(step, f"there is no bucket {access.bucket}, or no such object in it", access) from error
    except WharfError as error:
        raise _failed(step, error.message.partition(";")[0], access) from error


def _failed(step: str, reason: str, access: BucketAccess) -> ValidationError:
    external_id = access.role.external_id if access.role else None
    remedy = _REMEDIES[step].format(external_id=external_id or "not needed")
    message = f"The connection does not work: step {step}: {reason}"
    return ValidationError(message, step=step, reason=reason, remedy=remedy, bucket=access.bucket)
