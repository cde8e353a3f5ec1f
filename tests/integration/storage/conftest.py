"""A bucket in the embedded S3 server, and its twin in memory: the same tests hold for both."""

import os
import socket
from dataclasses import replace
from unittest.mock import patch
from uuid import uuid4

import pytest

from service.config import Settings
from service.stack.servers import RunningServers
from service.storage.objects import ObjectStore
from service.storage.s3 import S3ObjectStore
from tests.fakes.storage import MemoryObjectStore


@pytest.fixture
def settings(servers: RunningServers) -> Settings:
    """Settings for a bucket that nobody else uses and that does not exist yet; no database is made."""
    with patch.dict(os.environ, servers.settings()):
        return replace(Settings.from_environment(), s3_bucket=f"bucket-{uuid4().hex}")


@pytest.fixture
def bare_store(settings: Settings) -> S3ObjectStore:
    """A store whose bucket does not exist."""
    return S3ObjectStore.from_settings(settings)


@pytest.fixture
def s3_store(bare_store: S3ObjectStore) -> S3ObjectStore:
    """A store with an empty bucket."""
    bare_store.ensure_bucket()
    return bare_store


@pytest.fixture(params=["s3", "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """An empty bucket, once real and once in memory."""
    if request.param == "memory":
        return MemoryObjectStore()
    real: S3ObjectStore = request.getfixturevalue("s3_store")
    return real


@pytest.fixture
def unreachable_store(settings: Settings) -> S3ObjectStore:
    """A store behind a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return S3ObjectStore.from_settings(replace(settings, s3_endpoint=f"http://127.0.0.1:{port}"))
