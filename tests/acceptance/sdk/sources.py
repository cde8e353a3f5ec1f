"""Where the file of an import may be: at a host of files, or in an upload, as the SDK at hand can name it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import requests

from tests.acceptance.sdk.clients import Sdk

_REQUEST_SECONDS = 10


@dataclass(frozen=True)
class Place:
    """A place for one file: what a create names it by, and how the file gets there."""

    named: dict[str, str]
    fill: Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """A host of files by their paths; what it does not have is not found."""

    url: str
    files: dict[str, str] = field(default_factory=dict)


@contextmanager
def run_origin() -> Iterator[Origin]:
    """A host that runs as long as the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = origin.files.get(self.path)
            self.send_response(404 if content is None else 200)
            body = (content or "").encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin = Origin(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield origin
        server.shutdown()


def make_place(sdk: Sdk, origin: Origin) -> Place:
    """A place for `customers.csv`; the SDKs have no operation that makes an upload."""
    if sdk.release.source == "file_url":
        path = f"/{uuid4().hex}/customers.csv"
        return Place({"file_url": origin.url + path}, lambda content: origin.files.update({path: content}))
    body, headers = {"file_name": "customers.csv"}, {"x-api-key": sdk.api_key}
    upload = requests.post(f"{sdk.api_url}/uploads", json=body, headers=headers, timeout=_REQUEST_SECONDS).json()
    return Place(
        {"upload_id": upload["upload_id"], "file_provider": "csvbox"},
        lambda content: _put(upload["upload_url"], content),
    )


def no_place(sdk: Sdk) -> dict[str, str]:
    """What a create names when there is no file: an export has none, but the SDKs cannot leave it out."""
    if sdk.release.source == "file_url":
        return {"file_url": ""}
    return {"upload_id": "none", "file_provider": "csvbox"}


def _put(url: str, content: str) -> None:
    requests.put(url, data=content.encode(), timeout=_REQUEST_SECONDS).raise_for_status()
