"""Web servers under test: Wharf's own and the bare one, with the same settings."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import psutil

from benchmarks.api.bare import SCOPE_VARIABLE
from benchmarks.api.client import HOST
from benchmarks.api.fill import Filled
from service.stack.checks import ask_http

WHARF = (sys.executable, "-m", "service.cli", "web")
BARE = (sys.executable, "-m", "benchmarks.api.bare")
_START_SECONDS = 60.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A running web server."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """What its processes have used until now."""
        return cpu_seconds(self.process)


def cpu_seconds(process: psutil.Process) -> float:
    """What a process and its children have used, in and outside of the kernel."""
    spent = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        spent += times.user + times.system
    return spent


@contextmanager
def run_server(command: tuple[str, ...], settings: Mapping[str, str], filled: Filled) -> Iterator[Server]:
    """Serve a database while the block lasts; raises TimeoutError when nothing answers."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHARF_")}
    environment |= settings
    environment |= {"WHARF_DATABASE_URL": filled.url, "WHARF_HOST": HOST, "WHARF_PORT": str(port)}
    environment |= {SCOPE_VARIABLE: str(filled.scope_id)}
    # Its log must not get into the page that is printed.
    process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=sys.stderr)
    try:
        _wait_for(port, process)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while ask_http(port, "/healthz") != HTTPStatus.OK:
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"no web server on port {port}"
            raise TimeoutError(message)
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
