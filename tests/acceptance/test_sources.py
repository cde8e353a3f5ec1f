"""Imports by file_url from an allowed host, good and bad, on a whole stack."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from tests.acceptance.conftest import Stack

pytestmark = pytest.mark.xdist_group("stack")

ROWS = "external_id,name\nurl-1,One\nurl-2,Two\n"


class Origin(BaseHTTPRequestHandler):
    """A host of files: whole, missing, cut, redirected."""

    def do_GET(self) -> None:
        """Answer by the path."""
        match self.path:
            case "/customers.csv":
                self._send(200, ROWS.encode(), len(ROWS))
            case "/cut.csv":
                self._send(200, ROWS.encode(), len(ROWS) + 100)
            case "/moved.csv":
                self.send_response(302)
                self.send_header("Location", "/customers.csv")
                self.end_headers()
            case "/secret.csv":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
            case _:
                self._send(404, b"", 0)

    def _send(self, status: int, body: bytes, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """The address of a host of files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def create(stack: Stack, url: str) -> requests.Response:
    body = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_url": url}
    headers = {"x-api-key": stack.ready["api_key"]}
    return requests.post(f"{stack.ready['api_url']}/tasks", json=body, headers=headers, timeout=10)


@pytest.mark.parametrize("path", ["/customers.csv", "/moved.csv"])
def test_a_file_from_an_allowed_host_is_imported(stack: Stack, origin: str, path: str) -> None:
    created = create(stack, origin + path)
    assert created.status_code == 202
    task = stack.client.wait(created.json()["id"], 30)
    assert (task["task_status"], task["processed_records"], task["file_url"]) == ("COMPLETED", 2, origin + path)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/nothing.csv", "404"), ("/secret.csv", "publicly routable")],
)
def test_a_source_that_cannot_be_had_fails_and_says_why(stack: Stack, origin: str, path: str, words: str) -> None:
    task = stack.client.wait(create(stack, origin + path).json()["id"], 30)
    assert (task["task_status"], task["outcome"], task["error_code"]) == ("FAILED", "FAILED", "source_refused")
    assert words in task["error_summary"]


def test_a_download_that_is_cut_is_tried_again_and_never_taken_for_the_end(stack: Stack, origin: str) -> None:
    task_id = create(stack, f"{origin}/cut.csv").json()["id"]
    task = stack.client.wait(task_id, 60)
    assert (task["task_status"], task["error_code"], task["attempt"]) == ("FAILED", "source_unavailable", 5)
    assert task["processed_records"] == 0


def test_a_host_that_is_not_allowed_is_refused_at_create(stack: Stack) -> None:
    answer = create(stack, "https://localhost/customers.csv")
    assert answer.status_code == 400
    assert answer.json()["message"] == "file_url must be an https URL pointing to a publicly routable host"
