"""The life of a whole stack in a process of its own: start, kill, start again, stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from service.stack.warden import find_processes

PROGRAM = Path(__file__).with_name("tiny_stack.py")
PARTS = ("valkey", "s3", "postgres", "step", "web")
SECONDS = 20.0


def wait_until(condition: Callable[[], object]) -> None:
    """Ask again and again; fail when it does not come true in 20 s."""
    pause = threading.Event()
    for _ in range(int(SECONDS / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    pytest.fail("it did not come true in time")


@dataclass
class Stack:
    """A started stack."""

    folder: Path
    ready_file: Path
    process: subprocess.Popen[str]

    def addresses(self) -> dict[str, Any]:
        """The ready file, once it is there."""
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None)
        addresses: dict[str, Any] = json.loads(self.ready_file.read_text())
        return addresses

    def processes(self, *parts: str) -> list[int]:
        return find_processes(self.folder, parts or PARTS)

    def tree(self) -> list[psutil.Process]:
        """Every process below the supervisor, asked from the system alone: the warden, the parts, their children."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> int:
        """Signal the supervisor and give its exit status."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


def launch(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the program on the folder."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(folder.with_suffix(".ready")), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def run_stack_in(folder: Path) -> Iterator[Stack]:
    """Run a stack that is gone afterwards, whatever the test did to it."""
    with launch(folder) as process:
        stack = Stack(folder, folder.with_suffix(".ready"), process)
        try:
            yield stack
        finally:
            process.kill()
            process.wait()
            wait_until(lambda: not stack.processes())


def still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within 5 s; nobody but the warden is there to end them."""
    return psutil.wait_procs(processes, timeout=5)[1]


def count_rows(url: str) -> int | None:
    """The rows in the table `kept`, None while the database does not answer."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute("SELECT count(*) FROM kept").fetchone()
            return row[0] if row else None
    except psycopg.OperationalError:
        return None


def add_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id bigint GENERATED ALWAYS AS IDENTITY)")
        connection.execute("INSERT INTO kept DEFAULT VALUES")


def kill_part(stack: Stack, part: str) -> None:
    """Kill the part's own process, and wait until none of its processes is one of the old ones."""
    before = set(stack.processes(part))
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: stack.processes(part) and not before & set(stack.processes(part)))


def test_stack_lives_through_kills_of_its_parts_and_of_itself(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    with run_stack_in(folder) as stack:
        addresses = stack.addresses()
        assert stack.ready_file.stat().st_mode & 0o777 == 0o600
        add_row(addresses["database_url"])

        kill_part(stack, "postgres")
        kill_part(stack, "web")
        wait_until(lambda: count_rows(addresses["database_url"]) == 1)

        tree = stack.tree()
        assert {process.pid for process in tree} >= set(stack.processes())
        assert stack.send(signal.SIGKILL) == -signal.SIGKILL
        assert still_running(tree) == []
        assert stack.ready_file.exists()

    with run_stack_in(folder) as stack:
        wait_until(lambda: stack.ready_file.exists() and stack.addresses()["pid"] == stack.process.pid)
        again = stack.addresses()
        assert again == addresses | {"pid": stack.process.pid}
        assert count_rows(again["database_url"]) == 1

        with launch(folder) as second:
            output, _ = second.communicate(timeout=SECONDS)
        assert second.returncode == 1
        assert f"is in use by process {stack.process.pid} since 20" in output
        assert stack.addresses() == again

        tree = stack.tree()
        assert stack.send(signal.SIGTERM) == 0
        assert still_running(tree) == []
        assert not stack.ready_file.exists()


def test_ready_file_tells_programs_everything(tmp_path: Path) -> None:
    with run_stack_in(tmp_path / "stack") as stack:
        addresses = stack.addresses()
        ports = json.loads((stack.folder / "ports.json").read_text())
        kept = json.loads((stack.folder / "secrets.json").read_text())
        assert addresses == {
            "api_url": f"http://127.0.0.1:{ports['web']}/v1",
            "api_key": kept["api_key"],
            "tenant_id": "tenant_1",
            "environment_id": "env_1",
            "dashboard_url": f"http://127.0.0.1:{ports['web']}/",
            "flower_url": f"http://127.0.0.1:{ports['flower']}/",
            "flower_user": "wharf",
            "flower_password": kept["flower_password"],
            "database_url": f"postgresql://wharf:{kept['postgres_password']}@127.0.0.1:{ports['postgres']}/wharf",
            "broker_url": f"redis://:{kept['valkey_password']}@127.0.0.1:{ports['valkey']}/0",
            "s3_endpoint": f"http://127.0.0.1:{ports['s3']}",
            "pid": stack.process.pid,
        }
        assert stack.send(signal.SIGINT) == 0


def test_killing_the_supervisor_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    with run_stack_in(tmp_path / "stack") as stack:
        wait_until(lambda: stack.processes("postgres"))
        tree = stack.tree()
        stack.send(signal.SIGKILL)
        assert still_running(tree) == []
        wait_until(lambda: not stack.processes())
        assert not (stack.folder / "postgres" / "PG_VERSION").exists()

    with run_stack_in(tmp_path / "stack") as stack:
        assert stack.addresses()["pid"] == stack.process.pid
        assert not (stack.folder / "postgres.new").exists()
        assert stack.send(signal.SIGTERM) == 0


def test_a_killed_warden_is_replaced(tmp_path: Path) -> None:
    with run_stack_in(tmp_path / "stack") as stack:
        stack.addresses()
        first = find_warden(stack)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: find_warden(stack) not in {first, None})
        tree = stack.tree()
        stack.send(signal.SIGKILL)
        assert still_running(tree) == []


def find_warden(stack: Stack) -> int | None:
    """The warden's process id, None while there is none."""
    for process in psutil.Process(stack.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if any(word.endswith("warden.py") for word in process.cmdline()):
                return process.pid
    return None


def test_a_taken_port_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with launch(tmp_path / "stack", str(port)) as process:
            output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in output
    assert find_processes(tmp_path / "stack", PARTS) == []
