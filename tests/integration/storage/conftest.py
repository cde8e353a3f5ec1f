"""A bucket in each S3 server, and its twin in memory: the same tests hold for all."""

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

SERVERS = ["rclone", "swift"]


@pytest.fixture(params=SERVERS)
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings for a bucket that nobody else uses and that does not exist yet; no database is made."""
    return make_settings(request, request.param)


def make_settings(request: pytest.FixtureRequest, server: str) -> Settings:
    """Settings for a bucket in this server."""
    running: RunningServers = request.getfixturevalue("servers")
    variables = dict(running.settings())
    if server == "swift":
        variables |= request.getfixturevalue("swift").settings()
    with patch.dict(os.environ, variables):
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


@pytest.fixture(params=[*SERVERS, "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """An empty bucket in each server, and one in memory."""
    if request.param == "memory":
        return MemoryObjectStore()
    real = S3ObjectStore.from_settings(make_settings(request, request.param))
    real.ensure_bucket()
    return real


@pytest.fixture
def unreachable_store(settings: Settings) -> S3ObjectStore:
    """A store behind a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return S3ObjectStore.from_settings(replace(settings, s3_endpoint=f"http://127.0.0.1:{port}"))
