"""The supervisor's order, restarts and stops, with made-up programs and a made-up clock."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from service.stack.part import Part, PartFailedError
from service.stack.supervisor import Supervisor


class FakeProcess:
    """A program that ends when it is told to, or by a signal it does not ignore."""

    def __init__(self, note: Callable[[str], None], part: Part, *, status: int | None, stubborn: bool) -> None:
        self.pid = 1
        self._note = note
        self._part = part
        self._stubborn = stubborn
        self.status = status

    def poll(self) -> int | None:
        return self.status

    def send_signal(self, sig: int, /) -> None:
        if self.status is None:
            self._note(f"{signal.Signals(sig).name} {self._part.name}")
            if sig == signal.SIGKILL or not self._stubborn:
                self.status = -sig


class FakeLauncher:
    """A world without processes: it notes what happens, in order, with the time."""

    def __init__(self, logs: Path) -> None:
        self.now = 0.0
        self.events: list[str] = []
        self.processes: dict[str, FakeProcess] = {}
        self.ends_at_once: dict[str, int] = {}
        self.stubborn: set[str] = set()
        self._logs = logs

    def launch(self, part: Part) -> FakeProcess:
        self.events.append(f"start {part.name}")
        status = self.ends_at_once.get(part.name)
        process = FakeProcess(self.events.append, part, status=status, stubborn=part.name in self.stubborn)
        self.processes[part.name] = process
        return process

    def end(self, part: Part) -> None:
        self.events.append(f"clear {part.name}")

    def log(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"

    def check(self) -> None:
        """Nothing can be left running here."""

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 2)


class World:
    """A supervisor over some parts, with all that it needs made up."""

    def __init__(self, logs: Path, *parts: Part) -> None:
        self.launcher = FakeLauncher(logs)
        self.told: list[str] = []
        self.supervisor = Supervisor(
            parts,
            self.launcher,
            clock=self.launcher.clock,
            wait=self.launcher.wait,
            tell=self.told.append,
        )

    def take_events(self) -> list[str]:
        events = list(self.launcher.events)
        self.launcher.events.clear()
        return events

    def watch_until(self, now: float) -> None:
        self.supervisor.watch(lambda: self.launcher.now >= now, idle_seconds=0.1)


def make_part(name: str, *after: str, once: bool = False, ready: Callable[[], bool] = lambda: True) -> Part:
    return Part(name=name, command=(name,), after=after, once=once, is_ready=ready)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A database, a step after it, and two parts after both."""
    world = World(
        tmp_path,
        make_part("db"),
        make_part("migrate", "db", once=True),
        make_part("web", "db", "migrate"),
        make_part("worker", "db", "migrate"),
    )
    world.launcher.ends_at_once["migrate"] = 0
    return world


def test_parts_start_in_order_and_the_last_ones_together(world: World) -> None:
    assert world.supervisor.start()
    assert world.take_events() == ["start db", "start migrate", "start web", "start worker"]


def test_nothing_starts_before_what_it_needs_is_ready(tmp_path: Path) -> None:
    world = World(tmp_path)
    slow = make_part("db", ready=lambda: world.launcher.now >= 1.0)
    world.supervisor = Supervisor(
        [slow, make_part("web", "db")], world.launcher, clock=world.launcher.clock, wait=world.launcher.wait
    )
    assert not world.supervisor.start(lambda: world.launcher.now >= 0.9)
    assert world.take_events() == ["start db"]


def test_parts_stop_in_reverse_order(world: World) -> None:
    world.supervisor.start()
    world.take_events()
    world.supervisor.stop()
    signals = [event for event in world.take_events() if event.startswith("SIG")]
    assert signals == ["SIGTERM web", "SIGTERM worker", "SIGTERM db"]


def test_a_part_that_does_not_stop_is_killed_after_its_grace(world: World) -> None:
    world.launcher.stubborn.add("web")
    world.supervisor.start()
    world.take_events()
    started = world.launcher.now
    world.supervisor.stop()
    events = [event for event in world.take_events() if event.startswith("SIG")]
    assert events == ["SIGTERM web", "SIGTERM worker", "SIGKILL web", "SIGTERM db"]
    assert world.launcher.now - started == pytest.approx(10.0, abs=0.2)


def test_a_second_request_hurries_the_stop(world: World) -> None:
    world.launcher.stubborn |= {"web", "db"}
    world.supervisor.start()
    started = world.launcher.now
    world.supervisor.stop(in_a_hurry=lambda: True)
    assert world.launcher.now - started == pytest.approx(2.0, abs=0.2)


def test_a_part_that_ends_is_cleared_and_started_again_after_a_wait(world: World) -> None:
    world.supervisor.start()
    world.take_events()
    world.launcher.processes["web"].status = -9
    ended = world.launcher.now
    world.watch_until(ended + 0.3)
    assert world.take_events() == ["clear web"]
    world.watch_until(ended + 2.0)
    assert world.take_events() == ["start web"]
    assert world.told == [f"web has ended; it is started again in 0.5 s (log: {world.launcher.log(make_part('web'))})"]


def test_a_finished_step_is_not_started_again(world: World) -> None:
    world.supervisor.start()
    world.take_events()
    world.watch_until(world.launcher.now + 100)
    assert world.take_events() == []


def test_a_part_that_ends_again_and_again_is_given_up_with_its_name_and_log(world: World) -> None:
    world.launcher.ends_at_once["worker"] = 3
    log = world.launcher.log(make_part("worker"))
    log.write_text("\n".join(f"line {number}" for number in range(40)))
    shown = "\n".join(f"line {number}" for number in range(25, 40))
    expected = (
        "worker ended with status 3 before it was ready, for the 5th time within a minute; the stack cannot go on.\n"
        f"The log {log} ends with:\n{shown}"
    )
    with pytest.raises(PartFailedError, match=f"^{re.escape(expected)}$"):
        world.supervisor.start()
    assert world.launcher.events.count("start worker") == 5


def test_a_failed_step_stops_the_start_at_once(world: World) -> None:
    world.launcher.ends_at_once["migrate"] = 1
    with pytest.raises(
        PartFailedError, match=r"^migrate ended with status 1; the stack cannot go on\.\nIts log .* is empty"
    ):
        world.supervisor.start()
    assert world.take_events() == ["start db", "start migrate"]


def test_a_part_that_is_never_ready_fails_the_start_after_its_time(tmp_path: Path) -> None:
    world = World(tmp_path, make_part("db", ready=lambda: False))
    with pytest.raises(PartFailedError, match=r"^db was not ready within 30 s"):
        world.supervisor.start()
    assert world.launcher.now == pytest.approx(30.0, abs=0.1)


def test_a_part_that_waits_to_start_again_is_not_signalled_at_the_stop(world: World) -> None:
    world.supervisor.start()
    world.launcher.processes["web"].status = 1
    world.watch_until(world.launcher.now + 0.2)
    world.take_events()
    world.supervisor.stop()
    assert [event for event in world.take_events() if "web" in event] == []


def test_one_part_can_be_stopped_alone_and_started_again(world: World) -> None:
    world.supervisor.start()
    world.take_events()
    world.supervisor.stop_part("db")
    world.watch_until(world.launcher.now + 10)
    assert world.take_events() == ["SIGTERM db", "clear db"]
    world.supervisor.start_part("db")
    assert world.take_events() == ["start db"]
