"""The SDKs that must work unchanged: what their releases differ in, and how one is called."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from tests.acceptance.sdk.environments import node_command, python_command

_MOMENTS = ("started_at", "completed_at", "failed_at", "created_at", "updated_at")


@dataclass(frozen=True)
class Release:
    """One release of an SDK, by what its generation of the API differs in."""

    name: str
    command: Callable[[], list[str]]
    modes: tuple[str, ...] = ("sync", "async")
    #: The field by which an import names its file: `upload_id` came after `file_url`, with another answer.
    source: str = "file_url"
    #: What a point in time is read as.
    moment: type = str
    #: The classes of a documented error and of any other.
    documented_error: str = "ErrorResponse"
    other_error: str = "FlexpriceDefaultError"
    #: The character NUL for use in a path, which Python's SDK takes as it is and the other encodes.
    nul: str = "%00"

    def error_fields(self, code: str, status: int, message: str) -> dict[str, Any]:
        """What a documented error is read as: flat, or nested as it was before."""
        if self.documented_error == "ErrorResponse":
            return {"code": code, "http_status_code": status, "message": message}
        return {"error": {"internal_error": code.replace("_", " "), "message": message}, "success": False}

    def read_task(self, task: dict[str, Any]) -> dict[str, Any]:
        """A task with all its moments as datetimes, after a look at how the SDK typed them."""
        moments = {name: task[name] for name in _MOMENTS if task[name] is not None}
        assert {type(moment) for moment in moments.values()} == {self.moment}
        return {**task, **{name: _as_datetime(moment) for name, moment in moments.items()}}


RELEASES = [
    Release("flexprice-2.0.1", partial(python_command, "2.0.1"), documented_error="ErrorsErrorResponse"),
    Release("flexprice-2.1.20", partial(python_command, "2.1.20"), moment=datetime),
    Release("flexprice-2.1.43", partial(python_command, "2.1.43"), moment=datetime, source="upload_id"),
    Release(
        "npm-2.0.1",
        node_command,
        modes=("async",),
        documented_error="ErrorsErrorsErrorResponse",
        other_error="SDKError",
        nul="\0",
    ),
]


class RefusedError(Exception):
    """The SDK raised its error for what the API answered; `told` is all that can be read of it."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Take what the driver told."""
        super().__init__(told)
        self.told = told


@dataclass(frozen=True)
class Driver:
    """A process that has one SDK and calls it."""

    process: subprocess.Popen[str]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have one operation called."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the driver ended; why is in the captured stderr"
        answer: dict[str, Any] = json.loads(line, object_hook=_read_datetime)
        return answer


@dataclass(frozen=True)
class Sdk:
    """An SDK in the hands of one user."""

    release: Release
    mode: str
    driver: Driver
    api_url: str
    api_key: str

    def call(self, operation: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
        """What an operation gives, a model as a dict of its fields; raises RefusedError."""
        request = {"operation": operation, "arguments": arguments, "headers": headers or {}, "mode": self.mode}
        answer = self.driver.ask({**request, "api_url": self.api_url, "api_key": self.api_key})
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["value"]

    def get_task(self, task_id: str) -> dict[str, Any]:
        """GetTask, with the moments as datetimes."""
        return self.release.read_task(self.call("get_task", id=task_id))


@contextmanager
def start_driver(command: list[str]) -> Iterator[Driver]:
    """A driver that ends with the block."""
    # The stack is on this machine: no proxy of the environment is asked.
    environment = {**os.environ, "NO_PROXY": "*"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Driver(process)


def _as_datetime(moment: datetime | str) -> datetime:
    if isinstance(moment, datetime):
        return moment
    assert moment.endswith("Z"), "a moment is told in UTC"
    return datetime.fromisoformat(moment)


def _read_datetime(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["datetime"]) if list(value) == ["datetime"] else value
