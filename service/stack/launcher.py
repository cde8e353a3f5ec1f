"""Starts the program of a part, marked, in a session of its own and writing to its own log, with a warden beside."""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, Self

from service.errors import ConfigurationError
from service.stack import warden
from service.stack.folder import StackFolder
from service.stack.part import Part

# A log that has grown past this is put aside (one old one is kept) when its part starts.
_LOG_BYTES = 16 * 1024 * 1024


class Process(Protocol):
    """A started program, as the supervisor sees it; subprocess.Popen is one."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""

    def send_signal(self, _number: int, /) -> None:
        """Send it a signal; nothing happens when it has ended."""


class Launcher(Protocol):
    """What the supervisor needs from the outside world."""

    def launch(self, part: Part) -> Process:
        """Start the part's program."""

    def end(self, part: Part) -> None:
        """Kill whatever runs of the part, its children too."""

    def log(self, part: Part) -> Path:
        """Its log file."""

    def check(self) -> None:
        """Called now and then: see to it that nothing could be left running."""


class MarkedLauncher:
    """The launcher of real processes; within its `with` block a warden stands by.

    Leaving the block, as well as the death of this process, makes the warden kill all that is left of the parts, so no
    way of ending leaves a process behind. `lock` is shared with it: the folder is free only afterwards.
    """

    def __init__(self, folder: StackFolder, parts: Iterable[Part], *, lock: int) -> None:
        """Nothing is started before the `with` block; then only `parts` may be."""
        self._folder = folder
        self._names = [part.name for part in parts]
        self._lock = lock
        self._warden: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """End what an earlier stack left (its supervisor and its warden were both killed), and start the warden."""
        warden.end_processes(self._folder.path, self._names)
        self.check()
        return self

    def __exit__(self, *_error: object) -> None:
        """Let the warden end what is left, and wait for it."""
        if self._warden is not None:
            self._warden.communicate()

    def check(self) -> None:
        """Start the warden anew if somebody has ended it."""
        if self._warden is None or self._warden.poll() is not None:
            self._warden = subprocess.Popen(
                [sys.executable, "-I", "-S", warden.__file__, str(self._folder.path), *self._names],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[self._lock],
                cwd="/",
            )

    def launch(self, part: Part) -> Process:
        """Start the program in its own session (a Ctrl-C reaches the supervisor alone); its files are private."""
        log = self.log(part)
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".old.log"))
        with self._folder.open_log(part.name) as output:
            try:
                process = subprocess.Popen(
                    part.command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=mark_environment(self._folder, part.name, part.environment),
                    start_new_session=True,
                    umask=0o077,
                )
            except OSError as error:
                raise ConfigurationError(f"{part.command[0]} cannot be started: {error.strerror}.") from error
        _feed(process, part.stdin)
        return process

    def end(self, part: Part) -> None:
        """Kill whatever runs of the part, its children too."""
        warden.end_processes(self._folder.path, [part.name])

    def log(self, part: Part) -> Path:
        """Its log file in the stack's folder."""
        return self._folder.log(part.name)


def mark_environment(folder: StackFolder, part: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the marks by which the warden knows the process and all its children."""
    return {**environment, warden.FOLDER_VARIABLE: str(folder.path), warden.PART_VARIABLE: part}


def _feed(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Hand over standard input whole; a program that ended before reading it is found by the next poll."""
    if process.stdin is not None:
        try:
            process.stdin.write(text)
            process.stdin.close()
        except BrokenPipeError:
            return
