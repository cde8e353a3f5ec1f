"""How much memory a worker needs, whatever the length of the file: `python -m benchmarks.imports.memory`."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

from benchmarks.imports.report import tell_machine
from benchmarks.imports.samples import CUSTOMER_HEADER, make_customer, make_customer_object
from benchmarks.imports.sources import serve_files
from benchmarks.imports.stack import Stack, run_stack
from benchmarks.imports.tables import reset_table
from benchmarks.imports.wharf import Source, run_import

RESULTS = Path(__file__).with_name("MEMORY.md")
_BLOCK_ROWS = 10_000
_GIB = 1024**3
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Long:
    """A long file: what begins and ends it, what is between its rows, and how many rows or bytes it has."""

    name: str
    file_type: str
    make_row: Callable[[int], str]
    begin: str = ""
    between: str = ""
    end: str = ""
    rows: int | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Peak:
    """What importing a file came to; the memory is that of the pool process that had most."""

    name: str
    rows: int
    size_bytes: int
    seconds: float
    worker_bytes: int


@click.command()
@click.option("--workers", default=2, show_default=True, help="Processes of the worker.")
@click.option("--scale", default=1.0, show_default=True, help="A part of each length, to try it out.")
@click.option("--only", default="", help="Only files whose name holds this.")
@click.option("--write", is_flag=True, help=f"Write the page to {RESULTS.name}, too.")
def main(*, workers: int, scale: float, only: str, write: bool) -> None:
    """Import long files, each by a fresh stack, and look at the peak of its workers' memory."""
    peaks = [_measure(long, workers) for long in _longs(scale) if only in long.name]
    page = _render(peaks, workers)
    print(page)
    if write:
        RESULTS.write_text(page, encoding="utf-8")


def _longs(scale: float) -> Sequence[Long]:
    csv = partial(Long, file_type="CSV", make_row=make_customer, begin=CUSTOMER_HEADER + "\n")
    return (
        csv("CSV, 1 M rows", rows=int(1_000_000 * scale)),
        csv("CSV, 10 M rows", rows=int(10_000_000 * scale)),
        csv("CSV, 2 GB", size_bytes=int(2 * _GIB * scale)),
        Long(
            "JSON array in one line, 2 GB",
            "JSON",
            make_customer_object,
            "[",
            ", ",
            "]",
            size_bytes=int(2 * _GIB * scale),
        ),
    )


def _measure(long: Long, workers: int) -> Peak:
    with TemporaryDirectory(prefix="wharf-bench-") as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        path = files / f"long.{long.file_type.lower()}"
        rows = _write(long, path)
        with serve_files(files) as host, run_stack(folder, workers, host, {}) as stack:
            reset_table(stack.database_url, "customers")
            run = run_import(stack, Source("CUSTOMERS", long.file_type, path, f"http://{host}/{path.name}"), rows, 0)
            peak = Peak(long.name, rows, path.stat().st_size, run.seconds, _find_peak(stack))
    print(f"{peak.name}: {peak.seconds:.1f} s, {peak.worker_bytes / _MIB:.0f} MiB", file=sys.stderr, flush=True)
    return peak


def _write(long: Long, path: Path) -> int:
    """Write the file; gives its number of rows."""
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        length = file.write(long.begin)
        for block in _blocks(long):
            separator = long.between if rows else ""
            length += file.write(separator + long.between.join(map(long.make_row, block)))
            rows += len(block)
            if long.size_bytes is not None and length >= long.size_bytes:
                break
        file.write(long.end)
    return rows


def _blocks(long: Long) -> Iterator[range]:
    for first in count(0, _BLOCK_ROWS):
        if long.rows is not None and first >= long.rows:
            return
        end = first + _BLOCK_ROWS
        yield range(first, end if long.rows is None else min(end, long.rows))


def _find_peak(stack: Stack) -> int:
    """The most that one process of the worker's pool has had resident, by the kernel's own account."""
    pool = stack.parts()["worker"].children(recursive=True)
    return max(read_peak(process) for process in pool)


def read_peak(process: psutil.Process) -> int:
    """The most that a process has had resident, in bytes; 0 where the system does not tell."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _render(peaks: Sequence[Peak], workers: int) -> str:
    lines = [
        _HEAD.format(workers=workers),
        "",
        "| file | rows | GB | seconds | rows/s | peak MiB |",
        "| --- " * 6 + "|",
    ]
    lines += [
        f"| {peak.name} | {peak.rows:,} | {peak.size_bytes / 1e9:.2f} | {peak.seconds:.0f} "
        f"| {peak.rows / peak.seconds:,.0f} | {peak.worker_bytes / _MIB:.0f} |"
        for peak in peaks
    ]
    if len(peaks) > 1:
        ratio = peaks[1].worker_bytes / peaks[0].worker_bytes
        lines += ["", f"{peaks[1].name} take {ratio:.2f} times the memory of {peaks[0].name} (goal: at most 1.1)."]
    return "\n".join([*lines, "", tell_machine(), "", _HOW, ""])


_HEAD = """# Memory of a worker

Customers imported from a URL with {workers} worker processes, each file by a stack of its own. The peak is that of the
pool process that needed most (the kernel's VmHWM, libraries that the processes share included; goal: less than
300 MB)."""

_HOW = "To repeat: `python -m benchmarks.imports.memory --write`."


if __name__ == "__main__":
    main()
