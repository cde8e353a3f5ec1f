"""`wharf demo`: a stack of its own, four imports, two exports, and a table of what happened."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from time import monotonic
from typing import Any

from schemas.vocabulary import EntityType, TaskState
from service.client import ApiAnswerError, ApiClient, download
from service.demo.compare import compare_files
from service.demo.samples import write_samples
from service.errors import WharfError

_START_SECONDS = 120
_TASK_SECONDS = 300
_STOP_SECONDS = 90
_EXPORTED = (EntityType.CUSTOMERS, EntityType.EVENTS)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what one task came to, by the caller's clock from create to finish."""

    what: str
    rows: int
    seconds: float
    size_bytes: int
    place: str = ""
    link: str = ""


class DemoError(WharfError):
    """The demo could not be finished."""

    code = "demo_failed"


def run_demo(folder: Path, tell: Callable[[str], None]) -> None:
    """Run the demo in `folder`, which is emptied first; raises WharfError with what went wrong and where the log is."""
    shutil.rmtree(folder, ignore_errors=True)
    samples = write_samples(folder / "samples")
    begun_at = monotonic()
    with _stack(folder) as ready:
        tell(f"Stack ready after {monotonic() - begun_at:.1f} s: {ready['api_url']}")
        lines = list(_move_rows(ApiClient(ready["api_url"], ready["api_key"]), samples, folder))
    for line in _table(lines):
        tell(line)
    tell(f"Every exported row equals the row that was imported. {monotonic() - begun_at:.1f} s in all.")


@contextmanager
def _stack(folder: Path) -> Iterator[dict[str, Any]]:
    """The stack in a process of its own, as a user would start it; gives what its ready file says."""
    ready_file, log = folder / "ready.json", folder / "up.log"
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "up",
        "--data-dir",
        str(folder / "stack"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--ready-file", str(ready_file)], stdout=output, stderr=output)
    try:
        _await_ready(process, ready_file)
        yield json.loads(ready_file.read_text())
    except Exception as error:
        message = f"{error}\nThe stack's output is in {log}, the logs of its parts in {folder / 'stack' / 'logs'}"
        raise DemoError(message) from error
    finally:
        process.send_signal(SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its warden ends the parts.
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen[bytes], ready_file: Path) -> None:
    deadline = monotonic() + _START_SECONDS
    while not ready_file.exists():
        if monotonic() > deadline:
            message = f"The stack was not ready within {_START_SECONDS} s"
            raise DemoError(message)
        try:
            code = process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        message = f"The stack ended with exit code {code} before it was ready"
        raise DemoError(message)


def _move_rows(client: ApiClient, samples: dict[EntityType, Path], folder: Path) -> Iterator[Line]:
    for entity, path in samples.items():
        yield _import(client, entity, path)
    for entity in _EXPORTED:
        yield _export(client, entity, samples[entity], folder / f"exported-{entity.lower()}.csv")


def _import(client: ApiClient, entity: EntityType, path: Path) -> Line:
    upload_id = client.upload(path)
    begun_at = monotonic()
    task = _finished(client, client.create_import(entity, upload_id, path.name))
    if task["failed_records"]:
        message = f"{path.name}: {task['error_summary']}"
        raise DemoError(message)
    return Line(
        f"import {entity.lower()}",
        task["successful_records"],
        monotonic() - begun_at,
        path.stat().st_size,
    )


def _export(client: ApiClient, entity: EntityType, imported: Path, path: Path) -> Line:
    begun_at = monotonic()
    task = _finished(client, client.create_export(entity))
    seconds = monotonic() - begun_at
    link = client.link(task["id"])
    download(link, path)
    rows = compare_files(entity, imported, path)
    return Line(
        f"export {entity.lower()}",
        rows,
        seconds,
        path.stat().st_size,
        task["file_url"],
        link,
    )


def _finished(client: ApiClient, task_id: str) -> dict[str, Any]:
    task = client.wait(task_id, _TASK_SECONDS)
    if task["task_status"] != TaskState.COMPLETED:
        raise ApiAnswerError(f"{task_id} is {task['task_status']}: {task['error_summary']}")
    return task


def _table(lines: list[Line]) -> Iterator[str]:
    yield f"{'task':<18} {'rows':>8} {'seconds':>8} {'rows/s':>9} {'bytes':>11}"
    for line in lines:
        rate = line.rows / line.seconds
        yield f"{line.what:<18} {line.rows:>8,} {line.seconds:>8.2f} {rate:>9,.0f} {line.size_bytes:>11,}"
    for line in lines:
        if line.place:
            yield f"{line.place}\n  {line.link}"
