"""Requests counted on the real broker's server: by all processes together, and by nobody when it is away."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import pytest
import redis

from service.errors import ConfigurationError
from service.rate_limit import RedisRateLimiter, rate_limit_url
from service.stack.servers import RunningServers


@pytest.fixture
def caller() -> str:
    """A key that nobody has used."""
    return f"key_{uuid4().hex}"


@contextmanager
def frozen_server() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/1"


def test_two_processes_count_together(servers: RunningServers, caller: str) -> None:
    first, second = (RedisRateLimiter(servers.valkey.url(1), clock=lambda: 120.0) for _ in range(2))
    counted = [limiter.count(caller, 3) for limiter in (first, second, first, second)]
    assert [allowance.remaining for allowance in counted if allowance] == [2, 1, 0, 0]
    assert [allowance.exceeded for allowance in counted if allowance] == [False, False, False, True]


def test_counting_begins_anew_with_each_minute(servers: RunningServers, caller: str) -> None:
    moments = iter([60.0, 90.6, 119.9, 120.0])
    limiter = RedisRateLimiter(servers.valkey.url(1), clock=lambda: next(moments))
    counted = [limiter.count(caller, 3) for _ in range(4)]
    # Never less than is left, or who comes back then is refused again.
    assert [allowance.reset_seconds for allowance in counted if allowance] == [60, 30, 1, 60]
    assert [allowance.remaining for allowance in counted if allowance] == [2, 1, 0, 2]


def test_counts_lie_in_a_database_of_their_own_and_end(servers: RunningServers, caller: str) -> None:
    RedisRateLimiter(rate_limit_url(servers.valkey.url(0))).count(caller, 3)
    with redis.Redis.from_url(servers.valkey.url(1)) as counts, redis.Redis.from_url(servers.valkey.url(0)) as queues:
        [name] = counts.keys(f"wharf:requests:{caller}:*")
        assert 0 < int(counts.ttl(name)) <= 120
        assert queues.keys(f"*{caller}*") == []


def test_a_frozen_server_costs_one_request_a_moment_and_the_others_nothing(caller: str) -> None:
    with frozen_server() as url:
        limiter = RedisRateLimiter(url)
        began = monotonic()
        assert [limiter.count(caller, 3) for _ in range(100)] == [None] * 100
        assert monotonic() - began < 2


@pytest.mark.parametrize("url", ["redis://host/1?nonsense=1", "rediss://host?ssl_cert_reqs=often", "redis://host:x"])
def test_an_address_that_cannot_be_used_is_told_at_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError):
        RedisRateLimiter(url)


def test_without_a_server_nobody_counts(caller: str) -> None:
    with frozen_server() as url:
        pass
    assert RedisRateLimiter(url).count(caller, 3) is None


@pytest.mark.parametrize(
    ("broker", "limits"),
    [
        ("redis://:secret@host:6379/0", "redis://:secret@host:6379/1"),
        ("rediss://host", "rediss://host/1"),
        ("rediss://host/0?ssl_cert_reqs=CERT_REQUIRED&a=B", "rediss://host/1?ssl_cert_reqs=required&a=B"),
        ("redis+socket:///run/valkey.sock?virtual_host=0", "unix:///run/valkey.sock?db=1"),
    ],
)
def test_counts_are_kept_beside_the_broker(broker: str, limits: str) -> None:
    assert rate_limit_url(broker) == limits
