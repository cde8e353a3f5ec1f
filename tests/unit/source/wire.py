"""Dialers without a network, and an ear for every connection that this process makes all the same."""

import socket
import sys
from typing import Any, Self

from service.source.resolver import Address


class Dials:
    """A dialer that writes every attempt down and answers from a script, by a pair of sockets.

    The first connection gets the first answer and so on; when none is left, the connection is refused.
    """

    def __init__(self, *answers: bytes) -> None:
        self.attempts: list[tuple[str, int]] = []
        self._answers = list(answers)
        self._others: list[socket.socket] = []

    def __enter__(self) -> Self:
        """Hand out the dialer itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the other ends."""
        for other in self._others:
            other.close()

    def __call__(self, address: Address, port: int, timeout: float | None) -> socket.socket:
        del timeout
        self.attempts.append((str(address), port))
        if not self._answers:
            raise ConnectionRefusedError
        ours, other = socket.socketpair()
        self._others.append(other)
        other.sendall(self._answers.pop(0))
        other.shutdown(socket.SHUT_WR)
        return ours


def redirect_to(location: bytes) -> bytes:
    """An answer that leads elsewhere."""
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"


class Connections:
    """Every address that a socket of this process is connected to, told by the interpreter itself (PEP 578).

    So an attempt is seen that goes round the dialer. A hook cannot be taken away again; `forget` begins anew.
    """

    def __init__(self) -> None:
        self.addresses: list[Any] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            self.addresses.append(arguments[1])

    def forget(self) -> None:
        self.addresses.clear()
