"""One import through Wharf's own API, from the creation of its task to its end."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.imports.stack import Stack
from service.client import ApiClient

_POLL_SECONDS = 0.2
_FINISHED = {"COMPLETED", "FAILED", "CANCELLED"}
#: What each phase is called where it is shown; a task that waits has none.
_WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Run:
    """What moving so many rows took; CPU seconds by part, and the peak of memory, where they are known."""

    rows: int
    seconds: float
    phases: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    peak_bytes: float = 0.0

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how a task names it: by URL, or by upload where `url` is None."""

    entity: str
    file_type: str
    path: Path
    url: str | None


def run_import(stack: Stack, source: Source, rows: int, refused: int) -> Run:
    """Import a file; an upload is part of the time. Raises RuntimeError when other rows were refused than expected."""
    before, begun = stack.cpu_seconds(), time.perf_counter()
    task, phases = follow_task(stack, _create(stack, source))
    seconds = time.perf_counter() - begun
    after = stack.cpu_seconds()
    if (task["task_status"], task["total_records"], task["failed_records"]) != ("COMPLETED", rows, refused):
        message = f"{source.path.name}: {task['task_status']} {task['error_summary']}"
        raise RuntimeError(message)
    if source.url is not None:
        # The task's own clock: a poll sees the end late.
        seconds = task_seconds(task)
    return Run(rows, seconds, phases, {part: after[part] - before.get(part, 0.0) for part in after})


def _create(stack: Stack, source: Source) -> str:
    body: dict[str, Any] = {
        "task_type": "IMPORT",
        "entity_type": source.entity,
        "file_type": source.file_type,
        "file_name": source.path.name,
    }
    if source.url is None:
        body["upload_id"] = ApiClient(stack.api_url, stack.api_key).upload(source.path)
    else:
        body["file_url"] = source.url
    return create_task(stack, body)


def create_task(stack: Stack, body: dict[str, Any]) -> str:
    """Create a task; gives its id. Raises HTTPError where it is refused."""
    with _session(stack) as session:
        answer = session.post(f"{stack.api_url}/tasks", json=body, timeout=30)
    answer.raise_for_status()
    created = answer.json()
    return str(created.get("task_id") or created["id"])


def follow_task(stack: Stack, task_id: str) -> tuple[dict[str, Any], dict[str, float]]:
    """The finished task, and the seconds of each phase as far as polling can tell."""
    phases: dict[str, float] = {}
    phase, seen = _WAITING, time.perf_counter()
    with _session(stack) as session:
        while True:
            task: dict[str, Any] = session.get(f"{stack.api_url}/tasks/{task_id}", timeout=30).json()
            is_finished = task["task_status"] in _FINISHED
            if not is_finished:
                phase = (task["progress"]["phase"] or _WAITING).lower()
            now = time.perf_counter()
            phases[phase] = phases.get(phase, 0.0) + now - seen
            seen = now
            if is_finished:
                return task, phases
            time.sleep(_POLL_SECONDS)


def _session(stack: Stack) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["x-api-key"] = stack.api_key
    return session


def task_seconds(task: Mapping[str, Any]) -> float:
    """From the creation of a finished task to its end, by its own clock."""
    begun, ended = (datetime.fromisoformat(task[name]) for name in ("created_at", "completed_at"))
    return (ended - begun).total_seconds()
