"""What every tier shares: real servers, started once for each test process that needs them."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from service.db.migrate import upgrade
from service.stack.servers import RunningServers, run_servers
from tests.environments import UnavailableError
from tests.swift.part import Swift, run_swift

hypothesis_settings.register_profile("wharf", deadline=None, print_blob=True)
hypothesis_settings.load_profile("wharf")

_TEMPLATE = "wharf_template"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests have measured: each tells it by `record_property("summary", …)`."""
    for report in terminalreporter.getreports("passed"):
        for name, text in getattr(report, "user_properties", []):
            if name == "summary":
                terminalreporter.write_line(str(text))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServers]:
    """Broker, object store and database of this test process."""
    with run_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """A second S3 server: skipped with a reason where it cannot be installed or run, required in CI."""
    try:
        with run_swift(tmp_path_factory.mktemp("swift")) as running:
            yield running
    except UnavailableError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Swift is not available: {error}")


@pytest.fixture(scope="session")
def template(servers: RunningServers) -> str:
    """The name of a database with all tables and no rows."""
    _run(servers, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    upgrade(servers.postgres.url(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database_url(servers: RunningServers, template: str) -> Iterator[str]:
    """A database of the test's own, cloned from the template."""
    name = sql.Identifier(f"test_{uuid4().hex}")
    _run(servers, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template)))
    yield servers.postgres.url(name.as_string().strip('"'))
    _run(servers, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A folder for files of the test's own."""
    return tmp_path


def _run(servers: RunningServers, statement: sql.Composed) -> None:
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        connection.execute(statement)
