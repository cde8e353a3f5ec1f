"""Requests counted on the real broker's server: by all processes together, and by nobody when it is away."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import pytest
import redis

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
    first, second = (RedisRateLimiter(servers.valkey.url(1)) for _ in range(2))
    counted = [limiter.count(caller, 3) for limiter in (first, second, first, second)]
    # The four may lie on both sides of a full minute, where counting begins anew.
    remaining = [allowance.remaining for allowance in counted if allowance]
    assert len(remaining) == 4
    assert remaining == [2, 1, 0, 0] or 2 in remaining[1:]
    assert all(1 <= allowance.reset_seconds <= 60 for allowance in counted if allowance)


def test_more_than_the_limit_is_exceeded(servers: RunningServers, caller: str) -> None:
    limiter = RedisRateLimiter(servers.valkey.url(1))
    counted = [limiter.count(caller, 1) for _ in range(4)]
    assert [allowance.exceeded for allowance in counted if allowance].count(True) >= 2


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


def test_without_a_server_nobody_counts(caller: str) -> None:
    with frozen_server() as url:
        pass
    assert RedisRateLimiter(url).count(caller, 3) is None


@pytest.mark.parametrize(
    ("broker", "limits"),
    [
        ("redis://:secret@host:6379/0", "redis://:secret@host:6379/1"),
        ("rediss://host", "rediss://host/1"),
        ("redis+socket:///run/valkey.sock?virtual_host=0", "unix:///run/valkey.sock?db=1"),
    ],
)
def test_counts_are_kept_beside_the_broker(broker: str, limits: str) -> None:
    assert rate_limit_url(broker) == limits
