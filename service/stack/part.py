"""One part of the stack: a program, what it needs before it, how it shows that it is ready, and how it stops."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from schemas.vocabulary import ErrorKind
from service.errors import WharfError

_LAST_LINES = 15
_LAST_BYTES = 4096


class PartFailedError(WharfError):
    """A part of the stack does not run."""

    code: ClassVar[str] = "part_failed"
    kind: ClassVar[ErrorKind] = ErrorKind.FATAL

    @classmethod
    def of(cls, part: str, reason: str, log: Path) -> "PartFailedError":
        """The error with what a person needs: which part, what happened, where the log is and how it ends."""
        last_lines = read_last_lines(log)
        shown = f"\nThe log {log} ends with:\n{last_lines}" if last_lines else f"\nIts log {log} is empty."
        return cls(f"{part} {reason}; the stack cannot go on.{shown}", part=part, log=str(log))


def read_last_lines(log: Path) -> str:
    """At most the last 15 lines and 4 KiB of a log; "" where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_LAST_LINES:])


def prepare_nothing() -> None:
    """What most parts need before they start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program to keep running, or with `once` a step that must end with status 0 before those after it start.

    `prepare` is called before every start. `is_ready` is asked again and again after it, so it answers quickly and
    answers False, rather than raise, while the program does not listen yet. `stdin` is all that the program is given
    to read: for secrets that belong neither in the arguments nor on disk.
    """

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stdin: bytes = field(default=b"", repr=False)
    after: tuple[str, ...] = ()
    prepare: Callable[[], None] = prepare_nothing
    once: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    start_seconds: float = 30.0
