"""The web app over real servers, called without a socket."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from schemas.vocabulary import Role
from service.access import ensure_scope, new_key, store_key
from service.api.context import Context
from service.app import build_app
from service.tracking.workbench import Workbench
from tests.fakes.rate_limit import CountingRateLimiter


@dataclass
class Caller:
    """Someone with an API key."""

    app: Flask
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request with the caller's key."""
        headers = {"x-api-key": self.key, **self.headers}
        return self.app.test_client().open(path, method=method, json=body, headers=headers, **options)


NewCaller = Callable[..., Caller]


@pytest.fixture
def rate_limiter() -> CountingRateLimiter:
    """What was counted."""
    return CountingRateLimiter()


@pytest.fixture
def app(bench: Workbench, rate_limiter: CountingRateLimiter) -> Flask:
    """The app; it looks every key up, so that a test sees what it changes about one."""
    settings = replace(bench.settings, key_cache_seconds=0)
    return build_app(Context(settings, bench.sessions, bench.store, bench.dispatcher, rate_limiter))


@pytest.fixture
def new_caller(app: Flask, bench: Workbench) -> NewCaller:
    """Makes callers of a tenant, an environment and a role."""

    def make(tenant: str = "tenant_a", environment: str = "env_a", role: Role = Role.WRITER) -> Caller:
        key = new_key()
        with bench.sessions.begin() as session:
            store_key(session, ensure_scope(session, tenant, environment), key, "test", role)
        return Caller(app, key)

    return make


@pytest.fixture
def caller(new_caller: NewCaller) -> Caller:
    """A writer of tenant_a's env_a."""
    return new_caller()
