"""A workbench over real servers and a database of the test's own."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from sqlalchemy.orm import Session

from service.access import ensure_scope
from service.config import Settings
from service.db.models import Scope
from service.db.session import Sessions, make_engine, make_sessions
from service.stack.servers import RunningServers
from service.storage.s3 import S3ObjectStore
from service.tracking.callbacks import SqlCallbacks
from service.tracking.workbench import Workbench
from tests.fakes.dispatch import RecordingDispatcher


@pytest.fixture
def settings(servers: RunningServers, database_url: str) -> Settings:
    """The settings of these servers, as a process would read them."""
    with patch.dict(os.environ, {**servers.settings(), "WHARF_DATABASE_URL": database_url}):
        return Settings.from_environment()


@pytest.fixture
def sessions(settings: Settings) -> Iterator[Sessions]:
    """Sessions of the test's database."""
    engine = make_engine(settings.database_url, "tests")
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """One transaction, committed when the test ends well."""
    with sessions.begin() as session:
        yield session


@pytest.fixture
def scope(sessions: Sessions) -> Scope:
    """A tenant's environment."""
    with sessions.begin() as session:
        return ensure_scope(session, "tenant_a", "env_a")


@pytest.fixture
def dispatcher() -> RecordingDispatcher:
    """What would have been sent."""
    return RecordingDispatcher()


@pytest.fixture(scope="session")
def store(servers: RunningServers) -> S3ObjectStore:
    """The bucket; it takes a while to read S3's description."""
    with patch.dict(os.environ, servers.settings()):
        return S3ObjectStore.from_settings(Settings.from_environment())


@pytest.fixture
def bench(settings: Settings, sessions: Sessions, store: S3ObjectStore, dispatcher: RecordingDispatcher) -> Workbench:
    """What a worker has at hand."""
    callbacks = SqlCallbacks(sessions, settings.lease_seconds)
    return Workbench(settings, sessions, store, dispatcher, callbacks, worker="test:1")
