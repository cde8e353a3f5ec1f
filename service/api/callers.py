"""Whom a key let in a moment ago, so that a busy caller's key is not looked up for each of its requests."""

from collections.abc import Callable
from time import monotonic

from service.access import Principal, hash_key


class CallerCache:
    """Remembers callers for some seconds: so long, at most, does a key that is revoked still work in this process."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        """Begin with nobody known; with 0 seconds nobody ever is, and never more than `most` are."""
        self._seconds = seconds
        self._most = most
        self._known: dict[tuple[bytes, str | None], tuple[float, Principal]] = {}

    def find(self, key: str, environment_id: str | None, look_up: Callable[[], Principal]) -> Principal:
        """Who calls with this key in this environment; raises what `look_up` does, which is not remembered."""
        name = (hash_key(key), environment_id)
        known_until, principal = self._known.get(name, (0.0, None))
        if principal is not None and monotonic() < known_until:
            return principal
        principal = look_up()
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[name] = (monotonic() + self._seconds, principal)
        return principal
