"""The secrets of connections: encrypted in the table, in clear only while a store is opened."""

import json
from collections.abc import Mapping, Sequence
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from schemas.vocabulary import ErrorKind
from service.config import Settings
from service.errors import NotConfiguredError, WharfError

_MISSING = "Connections are not configured here: the operator must set WHARF_SECRET_KEYS (`wharf secrets new-key`)"


class SecretLostError(WharfError):
    """The secret of a connection was encrypted with a key that WHARF_SECRET_KEYS no longer has."""

    code = "secret_lost"
    kind = ErrorKind.FATAL


class SecretBox:
    """Seals with the first of the keys and opens with any of them; a secret belongs to one connection only."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises NotConfiguredError when there is no key."""
        if not keys:
            raise NotConfiguredError(_MISSING)
        self._first = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The box with the operator's keys."""
        return cls(settings.secret_keys)

    def seal(self, connection_id: str, secret: Mapping[str, str]) -> str:
        """The secret as it may be stored with that connection."""
        return self._first.encrypt(json.dumps([connection_id, dict(secret)]).encode()).decode()

    def open(self, connection_id: str, sealed: str) -> dict[str, str]:
        """The secret that was sealed for this connection; raises SecretLostError for another's, or without its key."""
        try:
            owner, secret = json.loads(self._all.decrypt(sealed.encode()))
        except InvalidToken:
            raise _lost(connection_id) from None
        if owner != connection_id:
            raise _lost(connection_id)
        return dict(secret)

    def seal_anew(self, connection_id: str, sealed: str) -> str:
        """The same secret under the first key; raises SecretLostError as `open` does."""
        return self.seal(connection_id, self.open(connection_id, sealed))


def new_secret_key() -> str:
    """A fresh key for WHARF_SECRET_KEYS."""
    return Fernet.generate_key().decode()


def _lost(connection_id: str) -> SecretLostError:
    message = (
        f"The secret of {connection_id} cannot be decrypted with the keys of WHARF_SECRET_KEYS; "
        "bring its key back, or send the connection's credentials again"
    )
    return SecretLostError(message, connection_id=connection_id)
