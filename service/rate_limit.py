"""How many requests a caller may still make in this minute, counted in Redis for all web processes together."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic, time
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from service.errors import ConfigurationError

_log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
#: Counts have a database of their own on the broker's server.
_DATABASE = "1"
#: A request must not wait for a server that is frozen, and most must not even ask it.
_TIMEOUT_SECONDS = 0.1
_PAUSE_SECONDS = 5.0
#: One command, so that no count is left without an end.
_INCREMENT = f"""
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], {2 * WINDOW_SECONDS}) end
return used
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a caller's requests: how many of `limit`, and in how many seconds it is renewed."""

    limit: int
    remaining: int
    reset_seconds: int
    exceeded: bool


class RateLimiter(Protocol):
    """Counts requests."""

    def count(self, caller: str, limit: int) -> Allowance | None:
        """Count one request of `caller`, who may make `limit` in a minute; None when nobody counts now."""


class RedisRateLimiter:
    """Counts in windows of one clock minute: one round trip each, and a caller knows exactly when it may go on.

    Who saves requests up to the end of a window can make twice the limit within a minute. While Redis is away all
    requests are let through: a limit protects others from a caller, and is not worth refusing everyone.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time) -> None:
        """Take the server's address; a connection is made with the first request.

        Raises ConfigurationError for an address that redis-py does not understand.
        """
        self._clock = clock
        try:
            self._redis = Redis.from_url(
                url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
            self._redis.connection_pool.make_connection()
        except (TypeError, ValueError, RedisError) as error:
            raise ConfigurationError(f"The address of the rate limiter's Redis cannot be used: {error}") from error
        self._increment = self._redis.register_script(_INCREMENT)
        self._away_until = 0.0

    def count(self, caller: str, limit: int) -> Allowance | None:
        """See RateLimiter."""
        if monotonic() < self._away_until:
            return None
        window, passed = divmod(self._clock(), WINDOW_SECONDS)
        try:
            used = int(self._increment(keys=[f"wharf:requests:{caller}:{int(window)}"]))
        except RedisError as error:
            self._away_until = monotonic() + _PAUSE_SECONDS
            _log.warning("rate_limit_off", seconds=_PAUSE_SECONDS, error=type(error).__name__)
            return None
        reset_seconds = ceil(WINDOW_SECONDS - passed)
        return Allowance(limit, max(0, limit - used), reset_seconds, exceeded=used > limit)


def rate_limit_url(broker_url: str) -> str:
    """Where requests are counted unless the settings say so: another database of the broker's server."""
    parts = urlsplit(broker_url)
    if parts.scheme == "redis+socket":
        return f"unix://{parts.netloc}{parts.path}?db={_DATABASE}"
    # kombu and redis-py write this one option each in its own way.
    query = parts.query.replace("ssl_cert_reqs=CERT_", "ssl_cert_reqs=")
    query = re.sub("(?<=ssl_cert_reqs=)[A-Z]+", lambda word: word[0].lower(), query)
    return parts._replace(path=f"/{_DATABASE}", query=query).geturl()
