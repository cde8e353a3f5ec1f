"""Looking names up with the system's resolver, for a bounded time."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

Address = IPv4Address | IPv6Address

# The system's own limit is 10 s and more for each name server.
_BUDGET_SECONDS = 5.0


def resolve_by_system(
    host: str,
    port: int,
    *,
    seconds: float = _BUDGET_SECONDS,
    look_up: Callable[..., list[Any]] = socket.getaddrinfo,
) -> Sequence[Address]:
    """Every address of `host` in the system's order of preference.

    Raises socket.gaierror when there is none or no answer came within `seconds`. getaddrinfo cannot be interrupted,
    so it runs in a thread that is left behind when it is late.
    """
    answers: SimpleQueue[Sequence[Address] | socket.gaierror] = SimpleQueue()

    def ask() -> None:
        try:
            found = look_up(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            answers.put(error)
        else:
            answers.put(list(dict.fromkeys(ip_address(address[0]) for *_, address in found)))

    Thread(target=ask, daemon=True, name="resolver").start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise socket.gaierror(socket.EAI_AGAIN, "the name servers did not answer in time") from None
    if isinstance(answer, socket.gaierror):
        raise answer
    return answer
