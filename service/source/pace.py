"""The receiving side of a source's connection: a floor under its speed, and no cut header taken for a whole one.

A socket's timeout starts again with every byte, so a source that sends one byte now and then, in a header or in the
length of a chunk, could hold a worker for days. Here each wait is counted, whatever the bytes are.
"""

import io
import socket
import time
from collections.abc import Callable
from typing import Any


class Pace:
    """The patience with one source: `floor_bytes` must come in every `window_seconds` spent waiting for them.

    Only waiting counts; the time that the reader takes between two reads does not. No single wait may be longer than
    `read_seconds`.
    """

    def __init__(
        self,
        read_seconds: float,
        window_seconds: float,
        floor_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with a whole window."""
        self._read_seconds = read_seconds
        self._window_seconds = window_seconds
        self._floor_bytes = floor_bytes
        self._clock = clock
        self._waited_seconds = 0.0
        self._received_bytes = 0

    def receive(self, sock: socket.socket, read: Callable[[], int | None]) -> int | None:
        """Run one `read` of `sock` under what is left of the window; raises TimeoutError when nothing is left."""
        left_seconds = self._window_seconds - self._waited_seconds
        if left_seconds <= 0:
            text = f"fewer than {self._floor_bytes} bytes came in {self._window_seconds:g} s"
            raise TimeoutError(text)
        sock.settimeout(min(self._read_seconds, left_seconds))
        started = self._clock()
        received = read()
        self._count(received or 0, self._clock() - started)
        return received

    def _count(self, received_bytes: int, waited_seconds: float) -> None:
        self._received_bytes += received_bytes
        self._waited_seconds += waited_seconds
        if self._received_bytes >= self._floor_bytes:
            self._received_bytes, self._waited_seconds = 0, 0.0


class PacedSocket:
    """A connected socket, plain or TLS, whose receiving side keeps a pace; all else goes to the socket itself."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        """Take over `sock`."""
        self._sock = sock
        self._pace = pace

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """The receiving side as http.client reads it; no other mode is offered."""
        if mode != "rb":
            text = f"a paced socket is read as 'rb', not {mode!r}"
            raise ValueError(text)
        return _WholeLines(_PacedReader(self._sock, self._pace))

    def __getattr__(self, name: str) -> Any:  # whatever the socket has
        """Everything that is not about receiving."""
        return getattr(self._sock, name)


class _WholeLines(io.BufferedReader):
    """A reader that refuses a line without an end.

    http.client reads lines where HTTP has them: in headers and before chunks. It takes a connection that ends there
    for the end of the header, so that a cut answer without Content-Length would read as an empty file.
    """

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            text = "the connection ended inside a header"
            raise ConnectionError(text)
        return line


class _PacedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock = sock
        self._pace = pace
        # The socket counts its open files, so that closing it does not cut a response that is still being read.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # as io.RawIOBase: any writable buffer
        return self._pace.receive(self._sock, lambda: self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()
