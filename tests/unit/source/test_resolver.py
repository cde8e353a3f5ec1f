"""Names are looked up for a bounded time, by a bounded number of threads."""

import errno
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from threading import BoundedSemaphore, Event
from typing import Any

import pytest

from schemas.vocabulary import ErrorKind
from service.source.resolver import ResolverBusyError, SystemResolver, resolve_by_system

LookUp = Callable[..., list[Any]]


class Turns(BoundedSemaphore):
    """Turns that write down how long each caller was ready to wait."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.waits: list[float | None] = []

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT002  # as the base has it
        self.waits.append(timeout)
        return super().acquire(blocking, timeout)


def found(*addresses: str) -> LookUp:
    return lambda _host, port, **_options: [(0, 0, 0, "", (text, port)) for text in addresses]


def failing(error: Exception) -> LookUp:
    def look_up(*_: object, **_options: object) -> list[Any]:
        raise error

    return look_up


@pytest.fixture
def silent() -> Iterator[LookUp]:
    """A look-up that answers when the test is over, except for quick.example."""
    over = Event()

    def look_up(host: str, port: int, **_options: object) -> list[Any]:
        if host != "quick.example":
            over.wait()
        return found("1.1.1.1")(host, port)

    yield look_up
    over.set()


def test_each_address_is_given_once_in_the_order_of_the_system() -> None:
    resolve = SystemResolver(look_up=found("2606:4700::1111", "1.1.1.1", "2606:4700::1111"))
    assert resolve("a.example", 443) == [ip_address("2606:4700::1111"), ip_address("1.1.1.1")]


def test_the_system_reads_a_literal_address_as_itself() -> None:
    assert resolve_by_system("127.0.0.1", 80) == [ip_address("127.0.0.1")]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "unknown"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (UnicodeError("label empty or too long"), "cannot be read"),
    ],
    ids=["unknown name", "error of the system", "error of the encoding"],
)
def test_a_look_up_that_fails_is_told_at_once(error: Exception, text: str) -> None:
    with pytest.raises(socket.gaierror, match=text):
        SystemResolver(look_up=failing(error))("a.example", 443)


def test_a_late_answer_is_not_waited_for(silent: LookUp) -> None:
    with pytest.raises(socket.gaierror, match="did not answer in time"):
        SystemResolver(seconds=0.01, look_up=silent)("a.example", 443)


def test_one_caller_too_many_is_sent_away_to_come_back_later(silent: LookUp) -> None:
    resolve = SystemResolver(at_once=1, turn_seconds=0.01, look_up=silent)
    with resolve._turn(), pytest.raises(ResolverBusyError, match="try again") as error:
        resolve("quick.example", 443)
    assert (error.value.code, error.value.kind) == ("service_unavailable", ErrorKind.TRANSIENT)


def test_a_name_that_is_given_up_gives_its_turn_back(silent: LookUp) -> None:
    resolve = SystemResolver(seconds=0.5, at_once=1, turn_seconds=0.01, look_up=silent)
    with pytest.raises(socket.gaierror, match="did not answer in time"):
        resolve("a.example", 443)
    assert resolve("quick.example", 443) == [ip_address("1.1.1.1")]


def test_only_the_first_waits_for_a_turn_until_a_look_up_is_answered_again(silent: LookUp) -> None:
    resolve = SystemResolver(at_once=1, turn_seconds=0.01, look_up=silent)
    resolve._turns = turns = Turns(1)
    with resolve._turn():
        for _ in range(3):
            with pytest.raises(ResolverBusyError):
                resolve("quick.example", 443)
    resolve("quick.example", 443)
    with resolve._turn(), pytest.raises(ResolverBusyError):
        resolve("quick.example", 443)
    assert turns.waits == [0.01, 0.01, 0, 0, 0, 0.01, 0.01]
