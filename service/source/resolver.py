"""Looking names up with the system's resolver, for a bounded time and by a bounded number of threads."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Any

from service.errors import SourceUnavailableError

Address = IPv4Address | IPv6Address
_Answer = Sequence[Address] | OSError | ValueError

# The system's own limit is 10 s and more for each name server.
_BUDGET_SECONDS = 5.0
# Half of a web process's usual threads, so that names whose servers are silent leave the other half to other requests.
_AT_ONCE = 4
# Long for a healthy resolver; short for a thread that other requests need.
_TURN_SECONDS = 0.5


class ResolverBusyError(SourceUnavailableError):
    """Too many host names are being looked up, and the name servers are slow; try again."""

    code = "service_unavailable"


class SystemResolver:
    """Asks getaddrinfo, which cannot be interrupted, in threads that are left behind when they are late.

    At most `at_once` callers wait for an answer, each for at most `seconds`. One more waits `turn_seconds` for its turn
    and is then sent away; so are those after it, at once, until a look-up is answered again. So neither callers nor
    threads left behind pile up behind a silent name server, and a crowd at a quick one is served.
    """

    def __init__(
        self,
        *,
        seconds: float = _BUDGET_SECONDS,
        at_once: int = _AT_ONCE,
        turn_seconds: float = _TURN_SECONDS,
        look_up: Callable[..., list[Any]] = socket.getaddrinfo,
    ) -> None:
        """Begin with all turns free."""
        self._seconds = seconds
        self._turns = BoundedSemaphore(at_once)
        self._turn_seconds = turn_seconds
        self._look_up = look_up
        # Races between callers do no harm: one waits for a turn in vain, or is sent away a moment early.
        self._is_jammed = False

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Every address of `host` in the system's order of preference, each once.

        Raises socket.gaierror when there is none or no answer came in time, ResolverBusyError when too many
        callers wait already.
        """
        answers: SimpleQueue[_Answer] = SimpleQueue()
        with self._turn():
            Thread(target=self._ask, args=(host, port, answers.put), daemon=True, name="resolver").start()
            try:
                answer = answers.get(timeout=self._seconds)
            except Empty:
                raise socket.gaierror(socket.EAI_AGAIN, "the name servers did not answer in time") from None
            self._is_jammed = False
        if isinstance(answer, Exception):
            raise _as_gaierror(answer) from answer
        return answer

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=0 if self._is_jammed else self._turn_seconds):
            self._is_jammed = True
            raise ResolverBusyError
        try:
            yield
        finally:
            self._turns.release()

    def _ask(self, host: str, port: int, answer: Callable[[_Answer], None]) -> None:
        try:
            found = self._look_up(host, port, type=socket.SOCK_STREAM)
            answer(list(dict.fromkeys(ip_address(address[0]) for *_, address in found)))
        except (OSError, ValueError) as error:
            answer(error)


def _as_gaierror(error: OSError | ValueError) -> socket.gaierror:
    """The one kind of error that callers know, for what else the system raises, such as too many open files."""
    if isinstance(error, OSError):
        return socket.gaierror(error.errno, error.strerror)
    return socket.gaierror(socket.EAI_FAIL, "the name or its address cannot be read")


#: One for the whole process, so that all its requests share the turns.
resolve_by_system = SystemResolver()
