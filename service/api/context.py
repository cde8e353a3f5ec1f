"""What a request handler has at hand, put into the app when it is built."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import current_app

from service.api.callers import CallerCache
from service.config import Settings
from service.db.session import Sessions, read_sessions
from service.dispatch import Dispatcher
from service.rate_limit import RateLimiter
from service.storage.objects import ObjectStore


@dataclass(frozen=True)
class Context:
    """The settings, tables, bucket, queues and limits of one web process."""

    settings: Settings
    sessions: Sessions
    store: ObjectStore
    dispatcher: Dispatcher
    rate_limiter: RateLimiter

    @cached_property
    def callers(self) -> CallerCache:
        """Who called a moment ago."""
        return CallerCache(self.settings.key_cache_seconds)

    @cached_property
    def reads(self) -> Sessions:
        """Sessions for statements that need no transaction together."""
        return read_sessions(self.sessions)


def context() -> Context:
    """The context of the app that handles the current request."""
    return cast("Context", current_app.extensions["wharf"])
