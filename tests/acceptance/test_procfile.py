"""Every line of the Procfile does its work, against servers that were there before."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from threading import Event
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from schemas.vocabulary import EntityType
from service.client import ApiClient
from service.stack.application import READY_FILE_VARIABLE
from service.stack.checks import ask_http
from service.stack.ports import HOST, is_port_free, random_ports
from service.stack.servers import RunningServers
from tests.contract.repository import ROOT, procfile

pytestmark = pytest.mark.xdist_group("procfile")

_READY_SECONDS = 60
_STOP_SECONDS = 30
# A database of the broker that no other test of this process uses, so that no other worker takes the messages.
_BROKER_DATABASE = 9


class Procfile:
    """Runs the Procfile's lines as a process manager does: by a shell, each in a process group of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        """Take the variables that every line gets, and where their output goes."""
        self.environment = environment
        self.folder = folder

    def run(self, name: str) -> int:
        """Run a line to its end; gives its exit code."""
        with self.start(name) as process:
            return process.wait(_READY_SECONDS)

    @contextmanager
    def start(self, name: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a line while the block lasts; then it is stopped, and killed if that takes too long."""
        with self.log(name).open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", procfile()[name]],
                cwd=ROOT, env=self.environment | variables, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            _stop(process)

    def log(self, name: str) -> Path:
        """Where a line's output goes."""
        return self.folder / f"{name}.log"

    def wait_until(self, condition: Callable[[], bool], name: str, process: subprocess.Popen[bytes]) -> None:
        """Look again and again until the condition holds; fails with the line's log when it ends or takes too long."""
        pause, deadline = Event(), monotonic() + _READY_SECONDS
        while not condition():
            assert process.poll() is None, self.log(name).read_text()
            assert monotonic() < deadline, self.log(name).read_text()
            pause.wait(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)
    finally:
        # Whatever is left of its group, the shell's children too.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)


def free_port() -> int:
    return next(port for port in random_ports() if is_port_free(HOST, port))


@pytest.fixture
def lines(servers: RunningServers, tmp_path: Path) -> Iterator[Procfile]:
    """The Procfile, with an empty database, an empty broker and a bucket that does not exist yet."""
    name = f"procfile_{uuid4().hex}"
    broker = Redis.from_url(servers.valkey.url(_BROKER_DATABASE))
    broker.flushdb()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        **servers.settings(),
        "WHARF_DATABASE_URL": servers.postgres.url(name),
        "WHARF_BROKER_URL": servers.valkey.url(_BROKER_DATABASE),
        "WHARF_S3_BUCKET": name.replace("_", "-"),
    }
    with psycopg.connect(servers.postgres.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield Procfile(environment, tmp_path)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    broker.flushdb()
    broker.close()


@pytest.fixture
def released(lines: Procfile) -> Procfile:
    """The same after its release line."""
    assert lines.run("release") == 0, lines.log("release").read_text()
    return lines


def test_release_makes_tables_and_bucket_and_may_run_again(lines: Procfile) -> None:
    assert lines.run("release") == 0, lines.log("release").read_text()
    with psycopg.connect(lines.environment["WHARF_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
    assert lines.run("release") == 0


def test_web_and_worker_do_a_whole_export(released: Procfile) -> None:
    port, ready_file = free_port(), released.folder / "worker.ready"
    with (
        released.start("web", PORT=str(port)) as web,
        released.start("worker", **{READY_FILE_VARIABLE: str(ready_file)}) as worker,
    ):
        released.wait_until(lambda: ask_http(port, "/healthz") == HTTPStatus.OK, "web", web)
        released.wait_until(ready_file.exists, "worker", worker)
        client = ApiClient(f"http://{HOST}:{port}/v1", make_key(released))
        task = client.wait(client.create_export(EntityType.CUSTOMERS), _READY_SECONDS)
    assert (task["task_status"], task["total_records"]) == ("COMPLETED", 0)
    bucket = released.environment["WHARF_S3_BUCKET"]
    assert task["file_url"].startswith(f"s3://{bucket}/tenant_a/env_a/customers/")


def make_key(lines: Procfile) -> str:
    """An API key, made as an operator makes one."""
    command = ["wharf", "keys", "create", "--tenant", "tenant_a", "--environment", "env_a", "--json"]
    made = subprocess.run(command, env=lines.environment, capture_output=True, text=True, check=True, timeout=60)
    return str(json.loads(made.stdout)["api_key"])


def test_beat_sends_upkeep(released: Procfile, servers: RunningServers) -> None:
    with Redis.from_url(servers.valkey.url(_BROKER_DATABASE)) as broker, released.start("beat") as beat:
        released.wait_until(lambda: broker.llen("upkeep") > 0, "beat", beat)
        (message,) = broker.lrange("upkeep", 0, 0)
    assert json.loads(message)["headers"]["task"] == "wharf.sweep"


def test_flower_answers_only_with_its_password(released: Procfile) -> None:
    port = free_port()
    with released.start("flower", PORT=str(port), FLOWER_BASIC_AUTH="operator:secret") as flower:
        released.wait_until(lambda: ask_http(port, "/") is not None, "flower", flower)
        assert ask_http(port, "/") == HTTPStatus.UNAUTHORIZED
        assert ask_http(port, "/", user="operator", password="wrong") == HTTPStatus.UNAUTHORIZED
        assert ask_http(port, "/", user="operator", password="secret") == HTTPStatus.OK


def test_flower_does_not_start_without_a_password(released: Procfile) -> None:
    assert released.run("flower") == 1
    assert "FLOWER_BASIC_AUTH must be set" in released.log("flower").read_text()
