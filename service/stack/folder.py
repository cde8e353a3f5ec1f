"""The folder that an embedded stack lives in: private, made when missing, used by one stack at a time."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from service.errors import ConfigurationError
from service.stack.warden import LOGS

_LOCK = "lock"
# What a killed supervisor left running ends within this; only then is the lock free.
_LOCK_SECONDS = 12.0
_POLL_SECONDS = 0.05
_REMEDY = "Choose another folder with --data-dir, or mend this one."


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The folder by its resolved path. Files of its own, a folder per server, and logs/ with a file per part."""

    path: Path

    @property
    def ports(self) -> Path:
        """Where the chosen ports are kept."""
        return self.path / "ports.json"

    @property
    def credentials(self) -> Path:
        """Where the passwords and keys are kept."""
        return self.path / "secrets.json"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.path / LOGS

    def log(self, part: str) -> Path:
        """The log file of one part."""
        return self.logs / f"{part}.log"

    def open_log(self, part: str) -> BinaryIO:
        """Its log file, private, opened to write at its end."""
        return os.fdopen(os.open(self.log(part), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def folder(self, name: str) -> Path:
        """A folder inside, mode 0700, made when missing."""
        return _make(self.path / name)


def open_folder(path: Path) -> StackFolder:
    """Make the folder or check an earlier one, and set its mode to 0700.

    Raises ConfigurationError when it cannot be made or written, and for a folder that holds other things: its mode is
    not ours to change.
    """
    resolved = path.expanduser().resolve()
    if resolved.is_dir() and any(resolved.iterdir()) and not (resolved / _LOCK).is_file():
        raise ConfigurationError(f"The folder {resolved} holds other things than a Wharf stack. {_REMEDY}")
    folder = StackFolder(_make(resolved))
    # First of all: it says whose folder this is, should the next step be the last.
    os.close(_open_lock(folder))
    _make(folder.logs)
    return folder


def _open_lock(folder: StackFolder) -> int:
    path = folder.path / _LOCK
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be opened: {error.strerror}. {_REMEDY}") from error


def _make(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is a file, not a folder. {_REMEDY}") from error
    except OSError as error:
        raise ConfigurationError(f"The folder {path} cannot be used: {error.strerror}. {_REMEDY}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigurationError(f"The folder {path} cannot be written. {_REMEDY}")
    return path


@contextmanager
def lock_folder(
    folder: StackFolder,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Hold the folder for this process; gives the open file, which the warden shares so that it holds it to its end.

    Where the recorded holder has died, its warden is still ending what it left: that is waited for. Raises
    ConfigurationError that names the holder and since when.
    """
    lock = _open_lock(folder)
    try:
        deadline = clock() + _LOCK_SECONDS
        while not _take(lock):
            holder = _read_holder(lock)
            if _is_alive(holder) or clock() >= deadline:
                raise _held(folder, holder)
            wait(_POLL_SECONDS)
        _write_holder(lock)
        yield lock
        os.truncate(lock, 0)
    finally:
        os.close(lock)


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_holder(lock: int) -> None:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    os.truncate(lock, 0)
    os.pwrite(lock, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)


def _read_holder(lock: int) -> tuple[int, str]:
    """The process that holds the folder and since when; (0, "") before it has written them or after it has gone."""
    try:
        holder = json.loads(os.pread(lock, 1000, 0))
        return int(holder["pid"]), str(holder["since"])
    except (ValueError, KeyError, TypeError):
        return 0, ""


def _is_alive(holder: tuple[int, str]) -> bool:
    return holder[0] > 0 and Path(f"/proc/{holder[0]}").exists()


def _held(folder: StackFolder, holder: tuple[int, str]) -> ConfigurationError:
    pid, since = holder
    return ConfigurationError(
        f"The folder {folder.path} is in use by process {pid} since {since or 'a moment ago'}. "
        f"Stop it first (`kill {pid}`), or choose another folder with --data-dir.",
        pid=pid,
    )
