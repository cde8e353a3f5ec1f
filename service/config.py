"""The settings: read once from `WHARF_…` variables in each composition root and passed down."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range, Regexp

from service.errors import ConfigurationError
from service.names import NAME_RULE, is_name

MIB = 1024 * 1024
GIB = 1024 * MIB

_AT_LEAST_ONE = Range(min=1)
_LOG_LEVEL = OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
_POSTGRESQL = Regexp(r"postgresql://", error="must start with postgresql://")
_REDIS = Regexp(r"(rediss?|redis\+socket)://", error="must start with redis:// or rediss://")

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?|[0-9a-f:.]+", re.IGNORECASE)
_STATIC_KEY = re.compile(r"(?P<name>[^:]+):(?P<tenant_id>.+):(?P<sha256>[0-9a-fA-F]{64})")
_HOW_TO_HASH = 'the 64 hex digits of: printf %s "$KEY" | sha256sum'
_HASH_OF_NOTHING = sha256().digest()
_SECRET_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StaticKey:
    """An API key that the settings hold as its SHA-256: an administrator of all environments of one tenant."""

    name: str
    tenant_id: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting. The README's table says what each is for; lengths carry their unit in the name."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    s3_endpoint: str | None
    s3_public_endpoint: str | None
    s3_region: str
    s3_bucket: str
    s3_access_key_id: str | None
    s3_secret_access_key: str | None = field(repr=False)
    s3_path_style: bool
    secret_keys: tuple[str, ...] = field(repr=False)
    sts_endpoint: str | None
    allowed_hosts: frozenset[str]
    host: str
    port: int
    web_processes: int
    web_threads: int
    lease_seconds: int
    reap_seconds: int
    resend_seconds: int
    max_attempts: int
    chunk_bytes: int
    part_bytes: int
    range_bytes: int
    file_max_bytes: int
    row_max_bytes: int
    field_max_bytes: int
    columns_max: int
    body_max_bytes: int
    requests_per_minute: int
    rate_limit_url: str | None = field(repr=False)
    key_cache_seconds: int
    static_keys: frozenset[StaticKey] = field(repr=False)
    source_connect_seconds: int
    source_read_seconds: int
    link_seconds: int
    upload_seconds: int
    log_level: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read and check the variables.

        Raises ConfigurationError naming every variable that is missing or wrong, not only the first.
        """
        env = Env(eager=False)
        with env.prefixed("WHARF_"):
            values = _read(env)
        try:
            env.seal()
        except EnvValidationError as error:
            raise ConfigurationError(_problems(error)) from error
        return cls(**values)


def _problems(error: EnvValidationError) -> str:
    """Each variable that is missing or wrong, and why."""
    told = error.error_messages
    if not isinstance(told, Mapping):
        return "; ".join(told)
    return "; ".join(f"{name}: {' '.join(texts)}" for name, texts in told.items())


def _read(env: Env) -> dict[str, Any]:
    """Every setting by its field's name; a wrong one is remembered by `env` and told by its seal."""
    return {
        "database_url": env.str("DATABASE_URL", validate=_POSTGRESQL),
        "broker_url": env.str("BROKER_URL", validate=_REDIS),
        "s3_endpoint": env.str("S3_ENDPOINT", default=None),
        "s3_public_endpoint": env.str("S3_PUBLIC_ENDPOINT", default=None),
        "s3_region": env.str("S3_REGION", default="us-east-1"),
        "s3_bucket": env.str("S3_BUCKET"),
        "s3_access_key_id": env.str("S3_ACCESS_KEY_ID", default=None),
        "s3_secret_access_key": env.str("S3_SECRET_ACCESS_KEY", default=None),
        "s3_path_style": env.bool("S3_PATH_STYLE", default=False),
        "secret_keys": tuple(_written(env.list("SECRET_KEYS", default=[], validate=_are_secret_keys) or [])),
        "sts_endpoint": env.str("STS_ENDPOINT", default=None),
        "allowed_hosts": _hosts(env.list("ALLOWED_HOSTS", default=[], validate=_are_hosts)),
        "host": env.str("HOST", default="127.0.0.1"),
        "port": env.int("PORT", default=8080, validate=Range(min=1, max=65535)),
        "web_processes": env.int("WEB_PROCESSES", default=2, validate=_AT_LEAST_ONE),
        "web_threads": env.int("WEB_THREADS", default=8, validate=_AT_LEAST_ONE),
        "lease_seconds": env.int("LEASE_SECONDS", default=15, validate=Range(min=3)),
        "reap_seconds": env.int("REAP_SECONDS", default=2, validate=_AT_LEAST_ONE),
        "resend_seconds": env.int("RESEND_SECONDS", default=10, validate=_AT_LEAST_ONE),
        "max_attempts": env.int("MAX_ATTEMPTS", default=5, validate=_AT_LEAST_ONE),
        "chunk_bytes": env.int("CHUNK_BYTES", default=4 * MIB, validate=_AT_LEAST_ONE),
        "part_bytes": env.int("PART_BYTES", default=8 * MIB, validate=Range(min=5 * MIB)),
        "range_bytes": env.int("RANGE_BYTES", default=16 * MIB, validate=_AT_LEAST_ONE),
        "file_max_bytes": env.int("FILE_MAX_BYTES", default=50 * GIB, validate=_AT_LEAST_ONE),
        "row_max_bytes": env.int("ROW_MAX_BYTES", default=10 * MIB, validate=_AT_LEAST_ONE),
        "field_max_bytes": env.int("FIELD_MAX_BYTES", default=MIB, validate=_AT_LEAST_ONE),
        "columns_max": env.int("COLUMNS_MAX", default=1000, validate=_AT_LEAST_ONE),
        "body_max_bytes": env.int("BODY_MAX_BYTES", default=MIB, validate=_AT_LEAST_ONE),
        "requests_per_minute": env.int("REQUESTS_PER_MINUTE", default=6000, validate=Range(min=0)),
        "rate_limit_url": env.str("RATE_LIMIT_URL", default=None, validate=_REDIS),
        "static_keys": _static_keys(env.list("STATIC_KEYS", default=[], validate=_are_static_keys)),
        "key_cache_seconds": env.int("KEY_CACHE_SECONDS", default=1, validate=Range(min=0)),
        "source_connect_seconds": env.int("SOURCE_CONNECT_SECONDS", default=5, validate=_AT_LEAST_ONE),
        "source_read_seconds": env.int("SOURCE_READ_SECONDS", default=30, validate=_AT_LEAST_ONE),
        "link_seconds": env.int("LINK_SECONDS", default=30 * 60, validate=_AT_LEAST_ONE),
        "upload_seconds": env.int("UPLOAD_SECONDS", default=60 * 60, validate=_AT_LEAST_ONE),
        "log_level": env.str("LOG_LEVEL", default="INFO", validate=_LOG_LEVEL),
    }


def _hosts(names: list[str] | None) -> frozenset[str]:
    """The allow-list as lower-case `host` or `host:port`; environs gives None for a value it refused."""
    return frozenset(name.strip().lower() for name in names or [] if name.strip())


def _are_hosts(names: Sequence[str]) -> None:
    """Raise ValidationError for the first that would never match, such as a URL or a pattern."""
    for name in _written(names):
        if not _HOST.fullmatch(name):
            message = f"{name!r:.100} is neither host nor host:port; write names without scheme, path and wildcard"
            raise ValidationError(message)


def _static_keys(entries: Sequence[str] | None) -> frozenset[StaticKey]:
    """The keys of entries that were checked; environs gives None for a value it refused."""
    return frozenset(_static_key(entry, number) for number, entry in enumerate(_written(entries or []), start=1))


def _are_static_keys(entries: Sequence[str]) -> None:
    """Raise ValidationError for the first wrong entry: by its number, since it may hold a key instead of a hash."""
    keys = [_static_key(entry, number) for number, entry in enumerate(_written(entries), start=1)]
    for part in ("name", "sha256"):
        if len({getattr(key, part) for key in keys}) < len(keys):
            message = f"Two entries have the same {part}, so one would hide the other. Each needs its own."
            raise ValidationError(message)


def _are_secret_keys(entries: Sequence[str]) -> None:
    """Raise ValidationError for the first that is no Fernet key: by its number, since it is a secret."""
    for number, entry in enumerate(_written(entries), start=1):
        if not _is_secret_key(entry):
            message = f"Entry {number} is not 32 bytes in URL-safe base64, as `wharf secrets new-key` makes them"
            raise ValidationError(message)


def _is_secret_key(entry: str) -> bool:
    try:
        return len(urlsafe_b64decode(entry)) == _SECRET_KEY_BYTES
    except ValueError:
        return False


def _written(entries: Sequence[str]) -> list[str]:
    return [entry.strip() for entry in entries if entry.strip()]


def _static_key(entry: str, number: int) -> StaticKey:
    parts = _STATIC_KEY.fullmatch(entry)
    if parts is None:
        message = f"Entry {number} is not name:tenant_id:sha256, where sha256 is {_HOW_TO_HASH}"
        raise ValidationError(message)
    key = StaticKey(parts["name"], parts["tenant_id"], bytes.fromhex(parts["sha256"]))
    if key.sha256 == _HASH_OF_NOTHING:
        message = f"Entry {number} has the hash of an empty key. Give {_HOW_TO_HASH}"
        raise ValidationError(message)
    for what, name in {"name": key.name, "tenant_id": key.tenant_id}.items():
        if not is_name(name):
            message = f"Entry {number} has a {what} that cannot be. It {NAME_RULE}."
            raise ValidationError(message)
    return key
