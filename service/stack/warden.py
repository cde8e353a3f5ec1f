"""The warden: a process that waits for the supervisor's death and ends whatever it left running.

It knows the processes of a stack by what each one carries, not by a list that could be out of date, and children
inherit it; so the children of a part (granian's, Celery's, PostgreSQL's) end too, which a death signal from the kernel
does not reach. There are two marks, as each can be lost: the environment names the folder and the part (Valkey and
PostgreSQL write their titles over it), and output goes to the part's log (a child may send its own elsewhere).
Standard library only: it runs as a file by itself.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

FOLDER_VARIABLE = "WHARF_STACK_FOLDER"
PART_VARIABLE = "WHARF_STACK_PART"
LOGS = "logs"

_END_SECONDS = 10.0
_POLL_SECONDS = 0.01

# Their places behind the name in /proc/<pid>/stat.
_STATE = 0
_THREADS = 17


def find_processes(folder: Path, parts: Collection[str]) -> list[int]:
    """The living processes of these parts of the stack in `folder`, without the calling process."""
    return [pid for pid in _list_pids() if pid != os.getpid() and _belongs(pid, folder, parts)]


def end_processes(folder: Path, parts: Collection[str]) -> list[int]:
    """Kill the processes of these parts until none is left; gives those that would not end in 10 s."""
    deadline = time.monotonic() + _END_SECONDS
    left: set[int] = set()
    while (left := _still_there(left | set(find_processes(folder, parts)))) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return sorted(left)


def _still_there(pids: set[int]) -> set[int]:
    """Those not wholly dead. A dying process loses its environment first, and its ports with its last thread."""
    return {pid for pid in pids if not _is_dead(pid)}


def _is_dead(pid: int) -> bool:
    """Whether the process is gone, or a zombie without other threads that nobody has waited for (proc_pid_stat(5))."""
    try:
        text = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return True
    # The name before may itself hold brackets and spaces.
    fields = text.rpartition(")")[2].split()
    return fields[_STATE] in {"Z", "X"} and int(fields[_THREADS]) <= 1


def _list_pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _belongs(pid: int, folder: Path, parts: Collection[str]) -> bool:
    """Whether the process carries a mark; one that ends meanwhile, or is another user's, does not."""
    process = Path("/proc") / str(pid)
    try:
        return _names_part(process, folder, parts) or _writes_log(process, folder, parts)
    except OSError:
        return False


def _names_part(process: Path, folder: Path, parts: Collection[str]) -> bool:
    entries = (process / "environ").read_bytes().split(b"\0")
    return os.fsencode(f"{FOLDER_VARIABLE}={folder}") in entries and any(
        os.fsencode(f"{PART_VARIABLE}={part}") in entries for part in parts
    )


def _writes_log(process: Path, folder: Path, parts: Collection[str]) -> bool:
    """Whether standard output or error is a part's log; a person who only reads it has it open as another number."""
    logs = {folder / LOGS / f"{part}.log" for part in parts}
    for number in ("1", "2"):
        with contextlib.suppress(FileNotFoundError):
            target = str((process / "fd" / number).readlink())
            # The kernel adds this when somebody has removed the file.
            if Path(target.removesuffix(" (deleted)")) in logs:
                return True
    return False


def main() -> None:
    """Wait until the supervisor has closed standard input (by ending, however), then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while sys.stdin.buffer.read(1):
        pass
    end_processes(Path(sys.argv[1]), sys.argv[2:])


if __name__ == "__main__":
    main()
