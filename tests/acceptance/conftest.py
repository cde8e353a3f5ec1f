"""A whole stack as `wharf up` starts it, shared by the tests of this tier."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import psutil
import pytest

from schemas.vocabulary import Role
from service.access import add_key, new_key
from service.client import ApiClient
from service.stack.ports import random_ports

_READY_SECONDS = 90


@dataclass(frozen=True)
class Stack:
    """A running stack: what its ready file says, its process, and a client of its API."""

    ready: dict[str, Any]
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> ApiClient:
        return ApiClient(self.ready["api_url"], self.ready["api_key"])

    def client_of(self, tenant: str) -> ApiClient:
        """A client of a tenant of its own, for tests that count everything there is."""
        key = new_key()
        add_key(self.ready["database_url"], tenant, "env_test", key, "test", Role.WRITER)
        return ApiClient(self.ready["api_url"], key)

    def processes(self, name: str) -> list[psutil.Process]:
        """The stack's processes whose command line holds `name`, parents first."""
        everything = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in everything if name in " ".join(process.cmdline())]


def start_stack(folder: Path, *options: str) -> Stack:
    """Start `wharf up` and wait until it is ready."""
    ready_file = folder / "ready.json"
    ready_file.unlink(missing_ok=True)
    _choose_ports(folder / "stack")
    command = [sys.executable, "-m", "service.cli", "up", "--data-dir", str(folder / "stack")]
    log = (folder / "up.log").open("ab")
    environment = {**os.environ, "WHARF_ALLOWED_HOSTS": "127.0.0.1", "WHARF_LEASE_SECONDS": "5"}
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready_file), *options], stdout=log, stderr=log, env=environment
    )
    log.close()
    wait_until(lambda: ready_file.exists() or process.poll() is not None, _READY_SECONDS)
    assert process.poll() is None, (folder / "up.log").read_text()
    return Stack(json.loads(ready_file.read_text()), process)


def _choose_ports(data_dir: Path) -> None:
    """Ports of its own from the start: two stacks that start at once would both find the usual ones free."""
    if not data_dir.exists():
        data_dir.mkdir(mode=0o700)
        # By this a stack knows its folder.
        (data_dir / "lock").touch()
        web, flower = islice(random_ports(), 2)
        (data_dir / "ports.json").write_text(json.dumps({"web": web, "flower": flower}))


def stop_stack(stack: Stack) -> int:
    """Stop it in order; gives its exit code."""
    stack.process.terminate()
    return stack.process.wait(90)


def wait_until(condition: Any, seconds: float) -> None:
    """Look again and again until the condition holds; an assertion fails when it does not in time."""
    pause, deadline = Event(), monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "not in time"
        pause.wait(0.05)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests that leave it as they found it."""
    running = start_stack(tmp_path_factory.mktemp("stack"))
    yield running
    assert stop_stack(running) == 0
