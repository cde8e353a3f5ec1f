"""The supervisor: starts the parts in order, starts again what ends by itself, stops everything in reverse order."""

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from service.stack.launcher import Launcher, Process
from service.stack.part import Part, PartFailedError
from service.stack.restarts import Restarts

POLL_SECONDS = 0.02
_HURRY_SECONDS = 1.0


class Standing(Enum):
    """Where a part stands."""

    WAITING = auto()
    STARTING = auto()
    READY = auto()
    STOPPING = auto()
    STOPPED = auto()


@dataclass(slots=True)
class _Run:
    """What the supervisor knows of one part. `due_at`: started not before, ready by, or killed at."""

    part: Part
    standing: Standing = Standing.WAITING
    process: Process | None = None
    due_at: float = 0.0
    restarts: Restarts = field(default_factory=Restarts)

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @property
    def is_running(self) -> bool:
        return self.standing in {Standing.STARTING, Standing.READY, Standing.STOPPING}


def never() -> bool:
    """Nobody asks for anything."""
    return False


class Supervisor:
    """Keeps `parts` running. Everything happens in the thread that calls; parts that need not wait start together.

    `clock` gives seconds; `wait` sleeps that long or less; `tell` shows a line to the person.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        launcher: Launcher,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        tell: Callable[[str], None] = print,
    ) -> None:
        """Nothing is started yet. A part is named `after` others that come before it in `parts`."""
        self._runs = {part.name: _Run(part) for part in parts}
        self._launcher = launcher
        self._clock = clock
        self._wait = wait
        self._tell = tell
        self._was_ready = False

    def start(self, should_stop: Callable[[], bool] = never) -> bool:
        """Start all parts and wait until each is ready; False when asked to stop before.

        Raises PartFailedError when a part gives up or is not ready in its time, and what a part's `prepare` raises.
        """
        while not self._all_ready():
            if should_stop():
                return False
            self._step()
            self._wait(POLL_SECONDS)
        self._was_ready = True
        return True

    def watch(self, should_stop: Callable[[], bool], idle_seconds: float = 1.0) -> None:
        """Keep everything running until asked to stop. Raises PartFailedError when a part gives up."""
        while not should_stop():
            self._launcher.check()
            self._step()
            self._wait(idle_seconds if self._all_ready() else POLL_SECONDS)

    def stop(self, in_a_hurry: Callable[[], bool] = never) -> None:
        """Stop all parts: each after those that need it, killed when its grace has passed (1 s in a hurry)."""
        for run in self._runs.values():
            if run.standing is Standing.WAITING:
                run.standing = Standing.STOPPED
        while any(run.is_running for run in self._runs.values()):
            for run in self._runs.values():
                if run.is_running:
                    self._advance_stop(run, hurried=in_a_hurry())
            self._wait(POLL_SECONDS)

    def stop_part(self, name: str) -> None:
        """Stop one part alone, as `stop` would; it stays stopped until `start_part`."""
        run = self._runs[name]
        while run.is_running:
            self._advance_stop(run, hurried=False, alone=True)
            self._wait(POLL_SECONDS)

    def start_part(self, name: str) -> None:
        """Start one stopped part again and wait until it is ready; raises as `start` does."""
        self._runs[name] = _Run(self._runs[name].part)
        self.start()

    def process_id(self, name: str) -> int:
        """The process of a part that runs; KeyError when it does not."""
        process = self._runs[name].process
        if process is None:
            raise KeyError(name)
        return process.pid

    def _all_ready(self) -> bool:
        return all(run.standing in {Standing.READY, Standing.STOPPED} for run in self._runs.values())

    def _step(self) -> None:
        """Bring every part one step on."""
        for run in self._runs.values():
            match run.standing:
                case Standing.WAITING:
                    self._launch_when_due(run)
                case Standing.STARTING:
                    self._check_start(run)
                case Standing.READY if not run.part.once and run.has_ended():
                    self._start_again(run, "has ended")

    def _launch_when_due(self, run: _Run) -> None:
        needs = (self._runs[name].standing for name in run.part.after)
        if self._clock() < run.due_at or any(standing is not Standing.READY for standing in needs):
            return
        run.part.prepare()
        run.process = self._launcher.launch(run.part)
        run.standing = Standing.STARTING
        run.due_at = self._clock() + run.part.start_seconds

    def _check_start(self, run: _Run) -> None:
        if run.has_ended():
            self._note_early_end(run)
        elif not run.part.once and run.part.is_ready():
            run.standing = Standing.READY
        elif self._clock() >= run.due_at:
            reason = f"was not ready within {run.part.start_seconds:g} s"
            if not self._was_ready:
                raise self._failed(run, reason)
            self._start_again(run, reason)

    def _note_early_end(self, run: _Run) -> None:
        """A step that ended well is done; nothing else may end before it is ready."""
        status = run.process.poll() if run.process else None
        if not run.part.once:
            self._start_again(run, f"ended with status {status} before it was ready")
        elif status == 0:
            run.standing = Standing.READY
        else:
            raise self._failed(run, f"ended with status {status}")

    def _start_again(self, run: _Run, reason: str) -> None:
        """Clear what is left of the part, its children for example, and start it later; or give up."""
        self._kill(run)
        now = self._clock()
        delay_seconds = run.restarts.note_end(now)
        if delay_seconds is None:
            raise self._failed(run, f"{reason}, for the {len(run.restarts.ended_at)}th time within a minute")
        log = self._launcher.log(run.part)
        self._tell(f"{run.part.name} {reason}; it is started again in {delay_seconds:g} s (log: {log})")
        run.process = None
        run.standing = Standing.WAITING
        run.due_at = now + delay_seconds

    def _failed(self, run: _Run, reason: str) -> PartFailedError:
        return PartFailedError.of(run.part.name, reason, self._launcher.log(run.part))

    def _advance_stop(self, run: _Run, *, hurried: bool, alone: bool = False) -> None:
        """Signal a part that nobody needs any more, see whether it has ended, kill it at its time."""
        now = self._clock()
        if run.standing is not Standing.STOPPING:
            if not alone and self._is_needed(run.part.name):
                return
            run.standing = Standing.STOPPING
            run.due_at = now + run.part.grace_seconds
            if run.process is not None:
                run.process.send_signal(run.part.stop_signal)
        if hurried:
            run.due_at = min(run.due_at, now + _HURRY_SECONDS)
        if run.has_ended() or now >= run.due_at:
            self._kill(run)
            run.standing = Standing.STOPPED
            run.process = None

    def _kill(self, run: _Run) -> None:
        """End the part's program, if it still runs, and whatever is left of its children."""
        if run.process is not None:
            run.process.send_signal(signal.SIGKILL)
            while not run.has_ended():
                self._wait(POLL_SECONDS)
        self._launcher.end(run.part)

    def _is_needed(self, name: str) -> bool:
        return any(run.is_running and name in run.part.after for run in self._runs.values())
