"""What a request asks of a connection, checked by itself: no store is asked here."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from schemas.vocabulary import Encryption, ProviderType
from service.connections.places import BUCKET_RULE, PREFIX_RULE, as_prefix, is_bucket
from service.db.models import Connection, Scope
from service.errors import ValidationError

_DEFAULT_REGION = "us-east-1"
_COMPRESSIONS = ("none", "gzip", "zstd")
# Regions and roles become parts of host names and requests, credentials of headers.
_REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_KMS_KEY = re.compile(r"[!-~]{1,2048}")
_ENDPOINT = re.compile(r"[!-~]{1,2000}")
_SECRETS = {
    "aws_access_key_id": re.compile(r"[!-~]{1,256}"),
    "aws_secret_access_key": re.compile(r"[!-~]{1,512}"),
    "aws_session_token": re.compile(r"[!-~]{1,8192}"),
}
#: The key of `sync_config.s3` for each column that has another name.
_SHOWN_AS = {"is_managed": "is_flexprice_managed"}


@dataclass(frozen=True, slots=True)
class Terms:
    """The columns of a connection as asked for, and its secret in clear; None leaves the stored secret as it is."""

    columns: dict[str, Any]
    secret: dict[str, str] | None = field(default=None, repr=False)


#: The columns that `sync_config.s3` sets, with what they hold when it says nothing.
_DEFAULTS: dict[str, Any] = {
    "bucket": "",
    "region": "",
    "key_prefix": "",
    "endpoint_url": None,
    "use_path_style": False,
    "encryption": None,
    "kms_key_id": None,
    "compression": None,
    "role_arn": None,
    "external_id": None,
    "is_managed": False,
}
# Another bucket is another connection: what was written through this one is found by it.
_FIXED = ("bucket", "endpoint_url", "is_managed")


def read_new(body: Mapping[str, Any], scope: Scope) -> Terms:
    """The terms of a new connection of a scope; raises ValidationError with every field that is wrong."""
    if body["provider_type"] not in list(ProviderType):
        told = f"{body['provider_type']!r:.100} is not one of {', '.join(ProviderType)}."
        raise ValidationError("Invalid provider type", provider_type=[told])
    columns = {**_DEFAULTS, **_given(body)}
    secret = _given_secret(body)
    if columns["is_managed"]:
        managed = {**_DEFAULTS, "is_managed": True, "key_prefix": f"{scope.tenant_id}/{scope.environment_id}/"}
        return Terms({**managed, "compression": columns["compression"]}, {})
    if columns["endpoint_url"] and not columns["region"]:
        columns["region"] = _DEFAULT_REGION
    return _checked(columns, secret or {}, scope, has_keys=bool(secret))


def read_change(body: Mapping[str, Any], connection: Connection, scope: Scope) -> Terms:
    """The terms of a connection after a change, all of its columns; raises as `read_new`."""
    given, secret = _given(body), _given_secret(body)
    stored = {name: getattr(connection, name) for name in _DEFAULTS}
    message = "Invalid request format"
    for name in _FIXED:
        if name in given and given[name] != stored[name]:
            told = f"It is {stored[name]!r:.200} and stays so; create another connection instead."
            raise ValidationError(message, **{_place(name): [told]})
    columns = {**stored, **given}
    if connection.is_managed:
        return Terms({**stored, "compression": columns["compression"]})
    return _checked(columns, secret, scope, has_keys=bool(secret) or connection.sealed_secret is not None)


def own_external_id(scope: Scope) -> str:
    """What a role must ask for that the service assumes with its own keys: nobody else can make us say it.

    So a tenant who knows another's role cannot use it through us (the confused deputy).
    """
    name = f"{scope.tenant_id}/{scope.environment_id}".encode()
    return f"wharf-{hashlib.sha256(name).hexdigest()[:40]}"


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `sync_config.s3` says by columns; null is as good as absent, and "" is no text."""
    s3 = (body["sync_config"] or {}).get("s3") or {}
    columns = {shown: name for name, shown in _SHOWN_AS.items()}
    given = {columns.get(name, name): value for name, value in s3.items() if value is not None}
    for name, value in given.items():
        if value == "":
            given[name] = _DEFAULTS[name]
    if given.get("endpoint_url"):
        given["endpoint_url"] = given["endpoint_url"].strip().rstrip("/")
    if isinstance(given.get("key_prefix"), str):
        prefix = as_prefix(given["key_prefix"])
        if prefix is None:
            raise _wrong("key_prefix", f"{given['key_prefix']!r:.150} is none: it has {PREFIX_RULE}.")
        given["key_prefix"] = prefix
    return given


def _given_secret(body: Mapping[str, Any]) -> dict[str, str] | None:
    """The credentials that were sent, None when there are none; their values are in no message."""
    given = {name: value for name, value in (body["encrypted_secret_data"] or {}).items() if value}
    for name, value in given.items():
        if not _SECRETS[name].fullmatch(value):
            told = "It has characters that no such credential has, or is too long; copy it again."
            raise ValidationError("Invalid request format", **{f"encrypted_secret_data.{name}": [told]})
    missing = {"aws_access_key_id", "aws_secret_access_key"} - given.keys()
    if given and missing:
        told = "The access key's id and its secret are needed together."
        problems = {f"encrypted_secret_data.{name}": [told] for name in sorted(missing)}
        raise ValidationError("Invalid request format", **problems)
    return given or None


def _checked(columns: dict[str, Any], secret: dict[str, str] | None, scope: Scope, *, has_keys: bool) -> Terms:
    """The terms if they can be, with the external id of a role that the service assumes by itself."""
    problems = {_place(name): [told] for name, told in _problems(columns)}
    if not has_keys and not columns["role_arn"]:
        told = "Give an access key's id and secret, or a role_arn in sync_config.s3."
        problems["encrypted_secret_data"] = [told]
    if columns["role_arn"] and not has_keys:
        ours = own_external_id(scope)
        if columns["external_id"] not in {None, ours}:
            told = f"The service assumes the role with its own keys, so the role must ask for {ours}; leave it out."
            problems[_place("external_id")] = [told]
        columns = {**columns, "external_id": ours}
    if problems:
        raise ValidationError("Invalid request format", **problems)
    return Terms(columns, secret)


def _problems(columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each column that is wrong, and what is."""
    for name, is_right, rule in _RULES:
        value = columns[name]
        if value is not None and not is_right(value):
            yield name, f"{value!r:.150} is none: {rule}." if value else f"It is missing: {rule}."
    if columns["kms_key_id"] and columns["encryption"] in {None, Encryption.AES256}:
        yield "kms_key_id", "It goes with the encryption aws:kms or aws:kms:dsse only."
    if columns["external_id"] and not columns["role_arn"]:
        yield "external_id", "It goes with a role_arn only."


def _is_origin(text: str) -> bool:
    """Whether a URL has nothing behind its host and port; the guard judges these."""
    if not _ENDPOINT.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not (parts.path or parts.query or parts.fragment)


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("bucket", is_bucket, f"a bucket has {BUCKET_RULE}"),
    ("region", lambda text: bool(_REGION.fullmatch(text)), "a region looks like eu-west-1"),
    ("endpoint_url", _is_origin, "an endpoint looks like https://objects.example.com, without path"),
    ("encryption", lambda text: text in list(Encryption), f"use one of {', '.join(Encryption)}"),
    ("kms_key_id", lambda text: bool(_KMS_KEY.fullmatch(text)), "use the key's id, ARN or alias"),
    ("compression", lambda text: text in _COMPRESSIONS, f"use one of {', '.join(_COMPRESSIONS)}"),
    ("role_arn", lambda text: bool(_ROLE.fullmatch(text)), "a role looks like arn:aws:iam::123456789012:role/name"),
    ("external_id", lambda text: bool(_EXTERNAL_ID.fullmatch(text)), "2 to 1224 letters, digits and + = , . @ : / -"),
)


def _place(name: str) -> str:
    return f"sync_config.s3.{_SHOWN_AS.get(name, name)}"


def _wrong(name: str, told: str) -> ValidationError:
    return ValidationError("Invalid request format", **{_place(name): [told]})
