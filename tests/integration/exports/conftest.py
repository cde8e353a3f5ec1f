"""Exports write to each S3 server that tests have."""

import os
from unittest.mock import patch

import pytest

from service.config import Settings
from service.stack.servers import RunningServers
from service.storage.s3 import S3ObjectStore


@pytest.fixture(scope="session", params=["rclone", "swift"])
def store_variables(request: pytest.FixtureRequest, servers: RunningServers) -> dict[str, str]:
    """How processes reach everything, with one S3 server or the other."""
    variables = dict(servers.settings())
    if request.param == "swift":
        variables |= request.getfixturevalue("swift").settings()
    return variables


@pytest.fixture(scope="session")
def store(store_variables: dict[str, str]) -> S3ObjectStore:
    """The bucket of that server; it takes a while to read S3's description."""
    with patch.dict(os.environ, store_variables):
        store = S3ObjectStore.from_settings(Settings.from_environment())
    store.ensure_bucket()
    return store


@pytest.fixture
def settings(store_variables: dict[str, str], database_url: str) -> Settings:
    """The settings of these servers, as a process would read them."""
    with patch.dict(os.environ, {**store_variables, "WHARF_DATABASE_URL": database_url}):
        return Settings.from_environment()
