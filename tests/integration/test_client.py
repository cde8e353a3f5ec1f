"""The client against a small server that answers as it is told."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, ClassVar

import pytest

from schemas.vocabulary import EntityType
from service.client import ApiAnswerError, ApiClient, download

KEY = "sk_test"


@dataclass
class Script:
    """What the server answers, one after the other, the last again and again; and what it was asked."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)

    def answer(self, status: int, body: Any) -> None:
        """Add an answer; bytes go out as they are, all else as JSON."""
        self.answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    def next_answer(self) -> tuple[int, bytes]:
        """The answer to the request that was noted last."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Answerer(BaseHTTPRequestHandler):
    script: ClassVar[Script]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.script.asked.append((self.command, self.path, self.headers.get("x-api-key"), body))
        status, content = self.script.next_answer()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


@contextmanager
def serve(script: Script) -> Iterator[str]:
    """Answer on a free port; gives the address."""
    answerer = type("_ScriptedAnswerer", (_Answerer,), {"script": script})
    with ThreadingHTTPServer(("127.0.0.1", 0), answerer) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def script() -> Iterator[Script]:
    """A server that runs, and what it does."""
    script = Script()
    with serve(script) as script.url:
        yield script


@pytest.fixture
def client(script: Script) -> Iterator[ApiClient]:
    """A client of that server."""
    client = ApiClient(f"{script.url}/v1", KEY)
    yield client
    client._http.close()


def task(state: str) -> dict[str, Any]:
    return {"id": "task_1", "task_status": state}


def test_wait_polls_until_the_task_is_finished(script: Script, client: ApiClient) -> None:
    for state in ("PENDING", "PROCESSING", "COMPLETED"):
        script.answer(200, task(state))
    assert client.wait("task_1", seconds=30) == task("COMPLETED")
    assert script.asked == [("GET", "/v1/tasks/task_1", KEY, b"")] * 3


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED"])
def test_wait_ends_with_every_state_that_is_final(script: Script, client: ApiClient, state: str) -> None:
    script.answer(200, task(state))
    assert client.wait("task_1", seconds=30) == task(state)


def test_a_server_that_says_not_now_is_waited_out(script: Script, client: ApiClient) -> None:
    script.answer(503, {"code": "unavailable"})
    script.answer(503, b"<html>no upstream</html>")
    script.answer(200, task("COMPLETED"))
    assert client.wait("task_1", seconds=30) == task("COMPLETED")
    assert len(script.asked) == 3


def test_wait_gives_up_in_time(script: Script, client: ApiClient) -> None:
    script.answer(200, task("PROCESSING"))
    began_at = monotonic()
    with pytest.raises(ApiAnswerError, match=re.escape("task_1 was not finished within 0 s")):
        client.wait("task_1", seconds=0.3)
    assert 0.3 <= monotonic() - began_at < 3


def test_wait_gives_up_in_time_on_a_server_that_always_says_not_now(script: Script, client: ApiClient) -> None:
    script.answer(503, {})
    with pytest.raises(ApiAnswerError, match="task_1 was not finished within"):
        client.wait("task_1", seconds=0.3)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502])
def test_any_other_error_ends_the_wait_and_tells_method_path_and_status(
    script: Script, client: ApiClient, status: int
) -> None:
    script.answer(status, b"what went wrong")
    with pytest.raises(ApiAnswerError) as caught:
        client.wait("task_1", seconds=30)
    assert caught.value.message == f"GET {script.url}/v1/tasks/task_1 answered {status}: what went wrong"
    assert len(script.asked) == 1


def test_a_server_that_is_not_ready_is_an_error_outside_of_polling(script: Script, client: ApiClient) -> None:
    script.answer(503, b"not now")
    with pytest.raises(ApiAnswerError) as caught:
        client.create_export(EntityType.EVENTS)
    assert caught.value.message == f"POST {script.url}/v1/tasks answered 503: not now"


def test_a_long_answer_is_told_by_its_beginning(script: Script, client: ApiClient) -> None:
    script.answer(500, b"x" * 2000)
    with pytest.raises(ApiAnswerError) as caught:
        client.link("task_1")
    assert caught.value.message == f"GET {script.url}/v1/tasks/task_1/download answered 500: {'x' * 500}"


def test_upload_puts_the_file_on_the_presigned_link_without_the_key(
    script: Script, client: ApiClient, samples: Path
) -> None:
    path = samples / "customers.csv"
    path.write_bytes(b"external_id,name\nc-1,One\n")
    script.answer(201, {"upload_id": "upload_1", "upload_url": f"{script.url}/bucket/u?X-Amz-Signature=secret"})
    script.answer(200, b"")
    assert client.upload(path) == "upload_1"
    assert script.asked == [
        ("POST", "/v1/uploads", KEY, b'{"file_name": "customers.csv"}'),
        ("PUT", "/bucket/u?X-Amz-Signature=secret", None, b"external_id,name\nc-1,One\n"),
    ]


def test_a_refused_upload_does_not_tell_the_link_s_signature(script: Script, client: ApiClient, samples: Path) -> None:
    path = samples / "customers.csv"
    path.write_bytes(b"external_id,name\n")
    script.answer(201, {"upload_id": "upload_1", "upload_url": f"{script.url}/bucket/u?X-Amz-Signature=secret"})
    script.answer(403, b"expired")
    with pytest.raises(ApiAnswerError) as caught:
        client.upload(path)
    assert caught.value.message == f"PUT {script.url}/bucket/u answered 403: expired"


def test_imports_and_exports_are_created_as_the_api_reads_them(script: Script, client: ApiClient) -> None:
    script.answer(202, {"task_id": "task_1", "id": "task_1"})
    assert client.create_import(EntityType.CUSTOMERS, "upload_1", "customers.csv") == "task_1"
    assert client.create_export(EntityType.EVENTS) == "task_1"
    assert [(method, path, json.loads(body)) for method, path, _, body in script.asked] == [
        (
            "POST",
            "/v1/tasks",
            {
                "task_type": "IMPORT",
                "entity_type": "CUSTOMERS",
                "file_type": "CSV",
                "upload_id": "upload_1",
                "file_name": "customers.csv",
            },
        ),
        ("POST", "/v1/tasks", {"task_type": "EXPORT", "entity_type": "EVENTS", "file_type": "CSV"}),
    ]


def test_download_stores_the_bytes_as_they_are(script: Script, samples: Path) -> None:
    content = bytes(range(256)) * 8192
    script.answer(200, content)
    download(f"{script.url}/bucket/o?X-Amz-Signature=secret", samples / "out")
    assert (samples / "out").read_bytes() == content


def test_a_refused_download_writes_nothing_and_does_not_tell_the_signature(script: Script, samples: Path) -> None:
    script.answer(404, b"gone")
    with pytest.raises(ApiAnswerError) as caught:
        download(f"{script.url}/bucket/o?X-Amz-Signature=secret", samples / "out")
    assert caught.value.message == f"GET {script.url}/bucket/o answered 404: gone"
    assert not (samples / "out").exists()
