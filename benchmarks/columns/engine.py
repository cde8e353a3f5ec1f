"""One engine, measured in a process of its own: `python -m benchmarks.columns.engine NAME BYTES ROUNDS`, prints JSON.

It runs in the engine's own environment, so it imports nothing else that is not of Python itself.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from benchmarks.columns.data import ENTITIES, HEADERS, make_chunk

_FORK_SECONDS = 20.0
_MIB = 1024.0  # in KiB, as the kernel tells them
#: Cells of three columns that readers of CSV take differently.
_ODD = {
    "short record": b"1,2,3\n4,5\n6,7,8\n",
    "long record": b"1,2,3\n4,5,6,7\n6,7,8\n",
    "blank line": b"1,2,3\n\n6,7,8\n",
    "quote in an unquoted cell": b'1,x"y,3\n6,7,8\n',
    "quote as data in a quoted cell": b'1,"x"y",3\n6,7,8\n',
    "white space before a quote": b'1, "x,y",3\n6,7,8\n',
    "invalid UTF-8": b"1,2,3\n4,\xff,5\n6,7,8\n",
    "NUL": b"1,2,3\n4,\0,5\n6,7,8\n",
    "bare CR": b"1,2\r2,3\n6,7,8\n",
}


class Engine(Protocol):
    """What a module of an engine has."""

    def read(self, data: bytes, entity: str) -> Any:
        """The cells of a chunk by column, as text."""

    def check(self, table: Any, entity: str) -> Any:
        """Which rows are clean."""

    def render(self, table: Any, entity: str, clean: Any) -> bytes:
        """The clean rows with an id and their number, as COPY takes them."""

    def to_rows(self, table: Any) -> Iterable[tuple[Any, ...]]:
        """The cells by row."""


def main() -> None:
    """Measure the engine that the arguments name."""
    name, size_bytes, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    before, begun = _status("VmRSS"), time.perf_counter()
    engine: Engine = import_module(f"benchmarks.columns.with_{name}")
    seconds = time.perf_counter() - begun
    figures: dict[str, Any] = {"import_seconds": seconds, "import_mib": _status("VmRSS") - before}
    idle = _status("VmRSS")
    figures["chunks"] = {
        f"{entity}{', 5 % bad' if bad else ''}": _measure(engine, entity, size_bytes, rounds, bad=bad)
        for entity in ENTITIES
        for bad in (False, True)
    }
    figures["peak_mib"] = _status("VmHWM") - idle
    figures["odd"] = {what: _read_odd(engine, data) for what, data in _ODD.items()}
    figures["after_fork"] = _works_after_fork(engine)
    print(json.dumps(figures))


def _measure(engine: Engine, entity: str, size_bytes: int, rounds: int, *, bad: bool) -> dict[str, float]:
    data, rows = make_chunk(entity, size_bytes, bad=bad)
    taken: list[dict[str, float]] = []
    for _ in range(rounds):
        cpu, times = time.process_time(), [time.perf_counter()]
        table = engine.read(data, entity)
        times.append(time.perf_counter())
        clean = engine.check(table, entity)
        times.append(time.perf_counter())
        lines = engine.render(table, entity, clean)
        times.append(time.perf_counter())
        steps = {f"{step}_ms": 1000 * (times[place + 1] - times[place]) for place, step in enumerate(_STEPS)}
        taken.append({**steps, "cpu_ms": 1000 * (time.process_time() - cpu)})
    middle = {what: median(one[what] for one in taken) for what in taken[0]}
    return {"rows": rows, "clean_rows": lines.count(b"\n"), **middle}


_STEPS = ("read", "check", "render")


def _read_odd(engine: Engine, data: bytes) -> str:
    """The rows that come out, or the kind of error that stops all of them."""
    HEADERS["odd"] = ("a", "b", "c")
    try:
        return " ".join("(" + " · ".join(map(repr, row)) + ")" for row in engine.to_rows(engine.read(data, "odd")))
    except Exception as error:  # noqa: BLE001  # each engine has errors of its own
        return f"{type(error).__name__} for the whole chunk"


def _works_after_fork(engine: Engine) -> bool:
    """Whether a child works when its parent has used the engine before the fork, as a pool of processes forks."""
    data, _ = make_chunk("customers", 1 << 20, bad=False)
    child = os.fork()
    if child == 0:
        try:
            table = engine.read(data, "customers")
            engine.render(table, "customers", engine.check(table, "customers"))
            os._exit(0)
        except BaseException:  # noqa: BLE001  # whatever it is: the child may not go on as a second parent
            os._exit(1)
    deadline = time.monotonic() + _FORK_SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _status(field: str) -> float:
    """A line of the kernel's account of this process, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / _MIB for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
