"""What is asked of both sides."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks.api.client import render
from benchmarks.api.fill import KEY, Filled

_HEADERS = {"X-API-Key": KEY, "Accept": "application/json"}
_EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of request: those to send in turn, for a database. A list has a total, which bare code has to count."""

    name: str
    requests: Callable[[Filled], list[bytes]]
    is_list: bool = False


def count_too(request: bytes) -> bytes:
    """The list that bare code makes with its total."""
    path, _, rest = request.partition(b" HTTP/1.1\r\n")
    return path + (b"&" if b"?" in path else b"?") + b"with_total=1 HTTP/1.1\r\n" + rest


def _get(filled: Filled) -> list[bytes]:
    return [render("GET", f"/v1/tasks/{task_id}", _HEADERS) for task_id in filled.ids]


def _create(_filled: Filled) -> list[bytes]:
    return [render("POST", "/v1/tasks", _HEADERS, json.dumps(_EXPORT).encode())]


def _list(name: str, query: Callable[[Filled], dict[str, str]]) -> Operation:
    def requests(filled: Filled) -> list[bytes]:
        wanted = query(filled)
        return [render("GET", f"/v1/tasks?{urlencode(wanted)}" if wanted else "/v1/tasks", _HEADERS)]

    return Operation(name, requests, is_list=True)


def _window(_filled: Filled) -> dict[str, str]:
    """A day and a half in the middle, from no midnight to no midnight."""
    start = datetime.now(UTC).replace(hour=7, minute=30) - timedelta(days=45)
    return {"start_time": start.isoformat(), "end_time": (start + timedelta(days=1, hours=12)).isoformat()}


FIRST_PAGE = "GET /tasks, first page"

OPERATIONS = (
    Operation("GET /tasks/{id}", _get),
    _list(FIRST_PAGE, lambda _: {}),
    _list("GET /tasks, FAILED", lambda _: {"task_status": "FAILED"}),
    _list("GET /tasks, CUSTOMERS", lambda _: {"entity_type": "CUSTOMERS"}),
    _list("GET /tasks, 36 hours", _window),
    _list("GET /tasks, offset 90 %", lambda filled: {"offset": str(filled.tasks * 9 // 10)}),
    # Last, since it adds tasks.
    Operation("POST /tasks", _create),
)
