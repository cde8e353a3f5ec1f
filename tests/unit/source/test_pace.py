"""The floor under a download's speed, with a clock that only waiting moves."""

import socket
from collections.abc import Callable, Iterator

import pytest

from service.source.pace import Pace


class Wire:
    """A pair of connected sockets, one second per read on the receiving side."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.seconds = 0.0

    def receive(self, received_bytes: int, took_seconds: float) -> Callable[[], int]:
        def read() -> int:
            self.seconds += took_seconds
            return received_bytes

        return read


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    with wire.ours, wire.theirs:
        yield wire


def make_pace(wire: Wire) -> Pace:
    return Pace(read_seconds=30, window_seconds=60, floor_bytes=1000, clock=lambda: wire.seconds)


def test_a_slow_drip_ends_when_its_window_is_over(wire: Wire) -> None:
    pace = make_pace(wire)
    for _ in range(3):
        pace.receive(wire.ours, wire.receive(1, 20))
    with pytest.raises(TimeoutError, match="fewer than 1000 bytes came in 60 s"):
        pace.receive(wire.ours, wire.receive(1, 20))


def test_enough_bytes_open_a_new_window(wire: Wire) -> None:
    pace = make_pace(wire)
    for _ in range(10):
        pace.receive(wire.ours, wire.receive(500, 29))
    assert wire.seconds == 290


def test_the_time_between_reads_does_not_count(wire: Wire) -> None:
    pace = make_pace(wire)
    for _ in range(10):
        pace.receive(wire.ours, wire.receive(1, 1))
        wire.seconds += 1000
    assert pace.receive(wire.ours, wire.receive(1, 1)) == 1


def test_one_wait_is_as_long_as_the_window_leaves(wire: Wire) -> None:
    pace = make_pace(wire)
    pace.receive(wire.ours, wire.receive(1, 45))
    assert wire.ours.gettimeout() == 30
    pace.receive(wire.ours, wire.receive(1, 1))
    assert wire.ours.gettimeout() == 15
