"""The whole of Wharf as a user starts it: `wharf up`, and what each of its parts has cost."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from service.stack.warden import PART_VARIABLE

_START_SECONDS = 180.0
_STOP_SECONDS = 120.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is up."""

    api_url: str
    api_key: str
    database_url: str
    s3_endpoint: str
    data_dir: Path
    process: psutil.Process

    def cpu_seconds(self) -> dict[str, float]:
        """What each part has used until now, its children that have ended among it."""
        return {part: _cpu_seconds(process) for part, process in self.parts().items()}

    def parts(self) -> dict[str, psutil.Process]:
        """The processes that `wharf up` has started, by their part's name."""
        marked = {process.environ().get(PART_VARIABLE): process for process in self.process.children()}
        return {part: process for part, process in marked.items() if part}


@contextmanager
def run_stack(folder: Path, workers: int, files: str, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Run a stack over `folder` while the block lasts; imports may read from `files` (host:port)."""
    ready_file = folder / "ready.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHARF_")}
    # Polling must not meet a limit.
    environment |= {"WHARF_ALLOWED_HOSTS": files, "WHARF_REQUESTS_PER_MINUTE": "0", **settings}
    command = [sys.executable, "-m", "service.cli", "up", "--data-dir", str(folder / "stack")]
    command += ["--workers", str(workers), "--ready-file", str(ready_file)]
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        ready = _await_ready(process, ready_file)
        yield Stack(
            ready["api_url"],
            ready["api_key"],
            ready["database_url"],
            ready["s3_endpoint"],
            folder / "stack",
            psutil.Process(ready["pid"]),
        )
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _await_ready(process: subprocess.Popen[bytes], ready_file: Path) -> dict[str, Any]:
    deadline = time.monotonic() + _START_SECONDS
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            message = "the stack did not start"
            raise TimeoutError(message)
        time.sleep(0.1)
    answer: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
    return answer


def _cpu_seconds(process: psutil.Process) -> float:
    spent = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent
