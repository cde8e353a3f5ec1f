"""A client that keeps a few connections busy and costs so little that it can share a machine with what it measures."""

import re
import selectors
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_READ_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 60.0


class UnexpectedAnswerError(Exception):
    """The server did not answer as the benchmark needs it."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one load came to: the time of each request, and of all."""

    latencies: list[float]
    seconds: float

    @property
    def requests(self) -> int:
        return len(self.latencies)


def render(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def load(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Run:
    """Send the requests in turn for so long; each connection waits for its answer before it sends again.

    Raises UnexpectedAnswerError for an answer that is no success.
    """
    turns = cycle(requests)
    opened = [_Connection(port) for _ in range(connections)]
    try:
        for connection in opened:
            connection.ask(next(turns))
        return _keep_busy(opened, turns, seconds)
    finally:
        for connection in opened:
            connection.socket.close()


def _keep_busy(connections: list["_Connection"], turns: Iterator[bytes], seconds: float) -> Run:
    latencies: list[float] = []
    start = perf_counter()
    busy = len(connections)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while busy:
            ready = selector.select(_TIMEOUT_SECONDS)
            if not ready:
                message = f"no answer within {_TIMEOUT_SECONDS:g} s"
                raise UnexpectedAnswerError(message)
            for key, _ in ready:
                if not key.data.has_answered():
                    continue
                now = perf_counter()
                latencies.append(now - key.data.asked_at)
                if now - start < seconds:
                    key.data.ask(next(turns))
                else:
                    busy -= 1
    return Run(latencies, perf_counter() - start)


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=_TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self._received = b""

    def ask(self, request: bytes) -> None:
        self._received = b""
        self.asked_at = perf_counter()
        self.socket.sendall(request)

    def has_answered(self) -> bool:
        """Take what has come; whether the answer is whole."""
        received = self.socket.recv(_READ_BYTES)
        if not received:
            message = f"the connection was closed after {self._received[:200]!r}"
            raise UnexpectedAnswerError(message)
        self._received += received
        head_bytes = self._received.find(b"\r\n\r\n") + 4
        if head_bytes < 4:  # noqa: PLR2004  # not found
            return False
        length = _LENGTH.search(self._received, 0, head_bytes)
        if length is None or not self._received.startswith(b"HTTP/1.1 20"):
            raise UnexpectedAnswerError(repr(self._received[:1000]))
        return len(self._received) == head_bytes + int(length[1])
