"""Ctrl-C and its like, turned into an answer to the question whether to stop, and into the end of a wait."""

import os
import select
import signal
from types import FrameType
from typing import Self

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Within its `with` block, signals ask instead of ending the process; the main thread only.

    The first SIGINT, SIGTERM or SIGHUP (unless that one was ignored, as under nohup) asks to stop, a second one to
    hurry. A signal, the end of a child too, ends a `wait` at once.
    """

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._asked = 0
        self._earlier: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        """Take over the signals."""
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._earlier_wake = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in (*_STOP, signal.SIGCHLD):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._earlier[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        """Give them back."""
        for number, earlier in self._earlier.items():
            signal.signal(number, earlier)
        signal.set_wakeup_fd(self._earlier_wake)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def should_stop(self) -> bool:
        """Whether anybody asked to stop."""
        return self._asked > 0

    def should_hurry(self) -> bool:
        """Whether anybody asked twice."""
        return self._asked > 1

    def wait(self, seconds: float) -> None:
        """Sleep that long, or until a signal comes."""
        if select.select([self._wake_reader], [], [], seconds)[0]:
            os.read(self._wake_reader, 4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP:
            self._asked += 1
