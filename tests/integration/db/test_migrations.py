"""The migrations make the tables that the models describe."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine

from service.db.migrate import upgrade
from service.db.models import Base
from service.db.session import engine_url
from service.stack.binaries import find_postgres
from service.stack.servers import RunningServers

# Alembic's own table, which no model describes, and what changes with every dump.
_NOT_OURS = re.compile(r"alembic_version|^\\(un)?restrict|^--")


@pytest.fixture
def empty_url(servers: RunningServers) -> Iterator[str]:
    """A database without tables."""
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield servers.postgres.url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def dump(url: str) -> set[str]:
    """Every statement that would make the tables anew, columns in order, as PostgreSQL itself puts it."""
    command = [str(find_postgres("pg_dump")), "--schema-only", "--no-owner", "--no-privileges", url]
    written = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": os.defpath}).stdout
    lines = (line for line in written.splitlines() if line and not line.startswith(("--", "\\")))
    statements = re.split(r"(?<=;)\n", "\n".join(lines))
    return {in_any_order(statement) for statement in statements if not _NOT_OURS.search(statement)}


def in_any_order(statement: str) -> str:
    """The statement with the columns of a table sorted: a migration can only add them at the end."""
    if not statement.startswith("CREATE TABLE"):
        return statement
    first, *columns, last = statement.splitlines()
    return "\n".join([first, *sorted(column.removesuffix(",") for column in columns), last])


def make_tables(url: str) -> None:
    """The tables straight from the models."""
    engine = create_engine(engine_url(url))
    Base.metadata.create_all(engine)
    engine.dispose()


def test_alembic_finds_nothing_to_migrate(database_url: str) -> None:
    engine = create_engine(engine_url(database_url))
    with engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True}),
            Base.metadata,
        )
    engine.dispose()
    assert found == []


def test_migrated_tables_equal_those_of_the_models_to_the_last_option(database_url: str, empty_url: str) -> None:
    make_tables(empty_url)
    assert dump(database_url) == dump(empty_url)


def test_the_comparison_sees_what_alembic_does_not(database_url: str, empty_url: str) -> None:
    make_tables(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("ALTER INDEX ix_events_timestamp SET (pages_per_range = 64)")
        connection.execute("ALTER TABLE tasks DROP CONSTRAINT ck_tasks_failed_says_why")
    assert len(dump(database_url) ^ dump(empty_url)) == 4


def test_upgrade_is_safe_to_run_by_two_at_once_and_again(empty_url: str, database_url: str) -> None:
    command = [sys.executable, "-m", "service.cli", "db", "upgrade"]
    environment = os.environ | {"WHARF_DATABASE_URL": empty_url, "WHARF_BROKER_URL": "redis://127.0.0.1:1"}
    both = [subprocess.Popen(command, env=environment | {"WHARF_S3_BUCKET": "wharf"}) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    upgrade(empty_url)
    assert dump(empty_url) == dump(database_url)
