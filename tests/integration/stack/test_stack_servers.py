"""The three embedded servers: closed to strangers, silent about secrets and rows, and as the tests use them."""

import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from service.stack.checks import answers_redis, ask_http
from service.stack.credentials import load_credentials
from service.stack.folder import lock_folder, open_folder
from service.stack.identity import AS_NOBODY, IN_A_NAMESPACE, Identity
from service.stack.launcher import MarkedLauncher
from service.stack.part import Part, PartFailedError
from service.stack.ports import is_port_free, random_ports
from service.stack.postgres import Postgres
from service.stack.servers import RunningServers, run_servers
from service.stack.supervisor import Supervisor
from service.stack.warden import find_processes


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServers]:
    """The three, once for these tests."""
    with run_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


def make_client(servers: RunningServers, secret: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=servers.s3.endpoint,
        aws_access_key_id=servers.s3.access_key_id,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def test_broker_asks_for_the_password(servers: RunningServers) -> None:
    assert answers_redis(servers.valkey.port, servers.valkey.password)
    assert not answers_redis(servers.valkey.port, "wrong")


def test_database_asks_for_the_password(servers: RunningServers) -> None:
    wrong = servers.postgres.url().replace(servers.postgres.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_store_takes_the_right_secret_only(servers: RunningServers) -> None:
    good = make_client(servers, servers.s3.secret_access_key)
    good.put_object(Bucket="wharf", Key="a/b", Body=b"x")
    with pytest.raises(ClientError) as raised:
        make_client(servers, "wrong").get_object(Bucket="wharf", Key="a/b")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert ask_http(servers.s3.port, "/wharf/a/b") == 400


def test_bucket_stays_when_its_last_object_is_deleted(servers: RunningServers) -> None:
    client = make_client(servers, servers.s3.secret_access_key)
    client.put_object(Bucket="wharf", Key="only/one", Body=b"x")
    for listed in client.list_objects_v2(Bucket="wharf")["Contents"]:
        client.delete_object(Bucket="wharf", Key=listed["Key"])
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["wharf"]


def test_no_secret_is_in_any_argument(servers: RunningServers) -> None:
    folder = servers.postgres.folder
    secrets = astuple(load_credentials(folder.credentials, holds_database=True))
    lines = [
        " ".join(psutil.Process(pid).cmdline()) for pid in find_processes(folder.path, ["valkey", "s3", "postgres"])
    ]
    assert len(lines) >= 3
    assert not [line for line in lines for secret in secrets if secret in line]


def test_no_row_reaches_the_database_log(servers: RunningServers) -> None:
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE logged (id text PRIMARY KEY)")
        for _ in range(2):
            for statement in ("INSERT INTO logged VALUES (%s)", "SELECT %s::text::integer"):
                try:
                    connection.execute(statement, ["private-row"])
                except (psycopg.DataError, psycopg.IntegrityError):
                    continue
    log = servers.postgres.folder.log("postgres").read_text()
    assert "ready to accept connections" in log
    assert "private-row" not in log


def test_a_database_is_copied_from_a_template(servers: RunningServers) -> None:
    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE a_template IS_TEMPLATE true")
        connection.execute("CREATE DATABASE a_copy TEMPLATE a_template STRATEGY file_copy")
    with psycopg.connect(servers.postgres.url("a_copy")) as connection:
        assert connection.info.dbname == "a_copy"


def test_one_server_can_be_taken_away_and_brought_back(servers: RunningServers) -> None:
    servers.supervisor.stop_part("valkey")
    assert not answers_redis(servers.valkey.port, servers.valkey.password)
    servers.supervisor.start_part("valkey")
    assert answers_redis(servers.valkey.port, servers.valkey.password)


def test_folder_and_files_are_closed_to_others(servers: RunningServers) -> None:
    top = servers.postgres.folder.path
    assert [path for path in (top, *top.iterdir(), *(top / "logs").iterdir()) if path.stat().st_mode & 0o077] == []


def run_postgres_as(folder: Path, identity: Identity, statement: str) -> str:
    """Start the database as somebody, run a statement that gives one value, stop it."""
    opened = open_folder(folder)
    port = next(port for port in random_ports() if is_port_free("127.0.0.1", port))
    parts = [Postgres(folder=opened, port=port, password="p", durable=False, identity=identity).part()]
    with lock_folder(opened) as lock, MarkedLauncher(opened, parts, lock=lock) as launcher:
        supervisor = Supervisor(parts, launcher)
        try:
            supervisor.start()
            with psycopg.connect(f"postgresql://wharf:p@127.0.0.1:{port}/wharf") as connection:
                connection.execute("CREATE SEQUENCE IF NOT EXISTS kept")
                row = connection.execute(statement.encode()).fetchone()
                return str(row[0]) if row else ""
        finally:
            supervisor.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another identity")
def test_root_runs_the_database_in_either_way_over_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "closed" / "stack"
    folder.parent.mkdir(mode=0o700)
    assert run_postgres_as(folder, AS_NOBODY, "SELECT 1") == "1"
    assert run_postgres_as(folder, IN_A_NAMESPACE, "SELECT setval('kept', 7)") == "7"
    assert run_postgres_as(folder, AS_NOBODY, "SELECT last_value FROM kept") == "7"
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_failed_initdb_is_told_with_its_log(tmp_path: Path) -> None:
    opened = open_folder(tmp_path / "stack")
    postgres = Postgres(folder=opened, port=1, password="", durable=False)
    part: Part = postgres.part()
    with pytest.raises(
        PartFailedError, match=r"(?s)^postgres could not make its files .*postgres\.log ends with:.*password"
    ):
        part.prepare()
    assert not postgres.files.exists()
