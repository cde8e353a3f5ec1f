"""What a running stack survives: killed parts, a frozen broker, its own death."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from schemas.vocabulary import EntityType
from tests.acceptance.conftest import Stack, start_stack, stop_stack, wait_until

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack of these tests lives."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    """A stack of their own, started again on the same data by each test."""
    running = start_stack(folder)
    yield running
    if running.process.poll() is None:
        stop_stack(running)


def import_customers(stack: Stack, path: Path, rows: int) -> str:
    lines = ["external_id,name", *(f"c-{number:07},Customer {number}" for number in range(rows))]
    path.write_text("\n".join(lines))
    return stack.client.create_import(EntityType.CUSTOMERS, stack.client.upload(path), path.name)


@pytest.mark.parametrize("part", ["celery --app tasks.app worker", "postgres -D", "valkey-server", "serve s3"])
def test_an_import_goes_on_when_a_part_is_killed(stack: Stack, tmp_path: Path, part: str) -> None:
    task_id = import_customers(stack, tmp_path / "customers.csv", 60_000)
    victim, *_ = stack.processes(part)
    victim.kill()
    task = stack.client.wait(task_id, 90)
    assert (task["task_status"], task["successful_records"], task["failed_records"]) == ("COMPLETED", 60_000, 0)


def test_a_task_created_while_the_broker_is_frozen_runs_when_it_is_back(stack: Stack, tmp_path: Path) -> None:
    broker, *_ = stack.processes("valkey-server")
    broker.send_signal(signal.SIGSTOP)
    try:
        task_id = import_customers(stack, tmp_path / "customers.csv", 10)
    finally:
        broker.send_signal(signal.SIGCONT)
    assert stack.client.wait(task_id, 90)["task_status"] == "COMPLETED"


def test_web_is_started_again_when_it_is_killed(stack: Stack) -> None:
    web, *_ = stack.processes("service.web")
    web.kill()
    wait_until(lambda: answers(stack), 30)


def test_what_was_imported_is_there_after_a_second_start_and_nothing_outlives_a_killed_stack(
    stack: Stack, folder: Path, tmp_path: Path
) -> None:
    task_id = import_customers(stack, tmp_path / "customers.csv", 10)
    stack.client.wait(task_id, 60)
    everything = psutil.Process(stack.process.pid).children(recursive=True)
    stack.process.kill()
    stack.process.wait(10)
    gone, alive = psutil.wait_procs(everything, timeout=15)
    assert (len(gone) > 8, alive) == (True, [])
    again = start_stack(folder)
    try:
        assert again.ready["api_key"] == stack.ready["api_key"]
        assert again.client.wait(task_id, 10)["task_status"] == "COMPLETED"
    finally:
        assert stop_stack(again) == 0


def answers(stack: Stack) -> bool:
    try:
        return requests.get(f"{stack.ready['dashboard_url']}healthz", timeout=1).ok
    except requests.ConnectionError:
        return False
