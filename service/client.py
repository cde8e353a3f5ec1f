"""The API over HTTP, as the demo and the client commands speak it."""

from http import HTTPStatus
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import requests

from schemas.vocabulary import EntityType, TaskState, TaskType
from service.errors import WharfError

_FINISHED = {TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED}
_POLL_SECONDS = 0.1
_REQUEST_SECONDS = 30
_BLOCK_BYTES = 1024 * 1024


class ApiAnswerError(WharfError):
    """The API answered with an error."""

    code = "api_error"


class ApiClient:
    """One caller of one Wharf; raises ApiAnswerError for what the API refuses."""

    def __init__(self, api_url: str, api_key: str) -> None:
        """Take the address, with /v1, and the key."""
        self._api_url = api_url
        self._http = _direct_session()
        self._http.headers["x-api-key"] = api_key

    def upload(self, path: Path) -> str:
        """Put a file where an import can read it; gives its upload_id."""
        place = self._call("POST", "/uploads", {"file_name": path.name})
        # A session without the key: a presigned link is refused beside another credential.
        with path.open("rb") as file, _direct_session() as links:
            answer = links.put(place["upload_url"], data=file, timeout=_REQUEST_SECONDS)
        _check(answer)
        return str(place["upload_id"])

    def create_import(self, entity: EntityType, upload_id: str, file_name: str) -> str:
        """Create an import of an uploaded CSV file; gives the task's id."""
        body = {
            "task_type": TaskType.IMPORT,
            "entity_type": entity,
            "file_type": "CSV",
            "upload_id": upload_id,
            "file_name": file_name,
        }
        return str(self._call("POST", "/tasks", body)["task_id"])

    def create_export(self, entity: EntityType) -> str:
        """Create an export as CSV; gives the task's id."""
        body = {"task_type": TaskType.EXPORT, "entity_type": entity, "file_type": "CSV"}
        return str(self._call("POST", "/tasks", body)["id"])

    def wait(self, task_id: str, seconds: float) -> dict[str, Any]:
        """Poll a task until it is finished; raises ApiAnswerError when it takes longer than `seconds`."""
        pause = Event()
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            # 503 is the server's word for "not now", as while its database is started again.
            task = self._call("GET", f"/tasks/{task_id}", patient=True)
            if task.get("task_status") in _FINISHED:
                return task
            pause.wait(_POLL_SECONDS)
        message = f"{task_id} was not finished within {seconds:.0f} s"
        raise ApiAnswerError(message)

    def link(self, task_id: str) -> str:
        """A link to the object of a finished export."""
        return str(self._call("GET", f"/tasks/{task_id}/download")["download_url"])

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, patient: bool = False
    ) -> dict[str, Any]:
        answer = self._http.request(method, self._api_url + path, json=body, timeout=_REQUEST_SECONDS)
        if patient and answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return {}
        _check(answer)
        parsed: dict[str, Any] = answer.json()
        return parsed


def download(link: str, path: Path) -> None:
    """Store what a link leads to; raises ApiAnswerError when it is refused."""
    with _direct_session() as links, links.get(link, stream=True, timeout=_REQUEST_SECONDS) as answer:
        _check(answer)
        with path.open("wb") as file:
            file.writelines(answer.iter_content(_BLOCK_BYTES))


def _direct_session() -> requests.Session:
    """Requests straight to where the caller says: no proxy and no password file of the environment is asked."""
    session = requests.Session()
    session.trust_env = False
    return session


def _check(answer: requests.Response) -> None:
    if not answer.ok:
        method = answer.request.method
        path = answer.url.partition("?")[0]
        message = f"{method} {path} answered {answer.status_code}: {answer.text[:500]}"
        raise ApiAnswerError(message)
