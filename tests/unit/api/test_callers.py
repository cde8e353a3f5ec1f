"""Callers are remembered for a moment, and nobody else is let in by that."""

import pytest

from schemas.vocabulary import Role
from service.access import Principal
from service.api.callers import CallerCache
from service.errors import UnauthorizedError


def principal(scope_id: int) -> Principal:
    return Principal(scope_id, "tenant", "env", "user", Role.READER, "key")


def refuse() -> Principal:
    raise UnauthorizedError


def test_a_caller_is_looked_up_once_in_a_while() -> None:
    cache = CallerCache(60)
    assert cache.find("sk_a", None, lambda: principal(1)) == principal(1)
    assert cache.find("sk_a", None, refuse) == principal(1)


def test_another_key_or_environment_is_another_caller() -> None:
    cache = CallerCache(60)
    cache.find("sk_a", "env_a", lambda: principal(1))
    assert cache.find("sk_a", "env_b", lambda: principal(2)) == principal(2)
    assert cache.find("sk_b", "env_a", lambda: principal(3)) == principal(3)


def test_who_was_refused_is_not_remembered() -> None:
    cache = CallerCache(60)
    with pytest.raises(UnauthorizedError):
        cache.find("sk_a", None, refuse)
    assert cache.find("sk_a", None, lambda: principal(1)) == principal(1)


def test_with_no_time_to_remember_every_request_is_looked_up() -> None:
    cache = CallerCache(0)
    cache.find("sk_a", None, lambda: principal(1))
    with pytest.raises(UnauthorizedError):
        cache.find("sk_a", None, refuse)


def test_it_does_not_grow_without_end() -> None:
    cache = CallerCache(60, most=3)
    for number in range(10):
        cache.find(f"sk_{number}", str(number), lambda: principal(1))
    assert len(cache._known) <= 3
