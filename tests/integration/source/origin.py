"""A small web server on 127.0.0.1 that answers as each test scripts it, with or without TLS, and the way to it."""

import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

from service.source.guard import dial
from service.source.resolver import Address

Answer = Callable[[BaseHTTPRequestHandler], None]


class Origin:
    """The server: `answers` by path without query, and the requests that came in."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        # Lets an answer that must never end do so when the test is over.
        self.over = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                origin.requests.append((self.path, dict(self.headers)))
                origin.answers[self.path.partition("?")[0]](self)

            def log_message(self, *_args: object) -> None:
                pass

        return Handler


class Dials:
    """A dialer that writes attempts down and connects only to the test's own server, whatever the address."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.attempts: list[tuple[str, int]] = []

    def __call__(self, address: Address, port: int, timeout: float | None) -> socket.socket:
        self.attempts.append((str(address), port))
        return dial(ip_address("127.0.0.1"), self._origin.port, timeout)


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer of these headers and this body, whether they fit or not; then the connection ends."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, text in headers.items():
            request.send_header(name.replace("_", "-"), text)
        request.end_headers()
        request.wfile.write(body)

    return send


def whole(body: bytes, **headers: str) -> Answer:
    """An answer 200 of this body and its length."""
    return answer(200, body, Content_Length=str(len(body)), **headers)


def trust(certificate: Path) -> ssl.SSLContext:
    """A context that takes this certificate and no other."""
    return ssl.create_default_context(cafile=certificate)
