"""The passwords and keys of an embedded stack: random, made once, in one file that only its owner reads."""

import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from service.connections.secrets import new_secret_key
from service.errors import ConfigurationError
from service.stack.files import read_object, write_object

_REMEDY = "Bring it back from a backup; without it, move the whole folder away and start with an empty one."
_RANDOM_BYTES = 24


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Every secret of the stack; but for `secret_key` letters and digits only, so that they fit into URLs as they are.

    `secret_key` encrypts the secrets of connections.
    """

    postgres_password: str
    valkey_password: str
    s3_access_key_id: str
    s3_secret_access_key: str
    flower_password: str
    api_key: str
    secret_key: str


def make_credentials() -> Credentials:
    """New random ones, 192 bits each."""
    values = {field.name: secrets.token_hex(_RANDOM_BYTES) for field in fields(Credentials)}
    return Credentials(**values | {"api_key": f"sk_{values['api_key']}", "secret_key": new_secret_key()})


def load_credentials(path: Path, *, holds_database: bool) -> Credentials:
    """Those kept in `path`; made and saved at the first start, and each one that a newer Wharf added.

    Raises ConfigurationError for a damaged file, and for a missing one where a database was already made with it.
    """
    kept = read_object(path, remedy=_REMEDY)
    if kept is None and holds_database:
        raise ConfigurationError(f"{path} is missing, and the database beside it needs its password. {_REMEDY}")
    credentials = Credentials(**asdict(make_credentials()) | _check(path, kept or {}))
    if asdict(credentials) != kept:
        write_object(path, asdict(credentials))
    return credentials


def _check(path: Path, kept: dict[str, Any]) -> dict[str, str]:
    names = {field.name for field in fields(Credentials)}
    if not all(name in names and isinstance(value, str) and value for name, value in kept.items()):
        raise ConfigurationError(f"{path} is damaged: it holds something else than secrets. {_REMEDY}")
    return kept
