"""The figures as a page of markdown."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.api.measure import Effort, Figures
from benchmarks.api.operations import FIRST_PAGE

#: (operation, tasks) → side → figures.
Results = Mapping[tuple[str, int], Mapping[str, Figures]]

WHARF, BARE, COUNTED = "Wharf", "bare", "bare with count(*)"
GOAL = 0.7
_PAGE_GOAL = 1.5
_PACKAGES = ("flask", "flask-smorest", "marshmallow", "sqlalchemy", "psycopg", "granian")


def render_report(results: Results, effort: Effort, server: str, postgres: str) -> str:
    """The whole page."""
    parts = [_HEAD.format(goal=GOAL, server=server, **vars_of(effort)), _ratios(results), _page_line(results)]
    parts += ["## Each side", _sides(results), "## Where", _machine(postgres), _HOW]
    return "\n\n".join(parts) + "\n"


def vars_of(effort: Effort) -> dict[str, float]:
    return {"connections": effort.connections, "rounds": effort.rounds, "seconds": effort.seconds}


_HEAD = """# The API against a bare route

Wharf's API against bare Flask and SQLAlchemy with the same SELECT or INSERT (`bare.py`), each in
{server}, over the same tables: at 1,000 and at 1,000,000 tasks of one tenant.
{connections} connections that wait for each answer; medians of {rounds} rounds of {seconds:g} s, in which the sides
take turns. The goal is {goal} of bare's requests per second.

The bare route checks no key, counts no request against a limit and validates nothing. "with count(*)" is the bare list
that also counts its matches, as it must to give the total that Wharf gives. Client, servers and database share the
machine, so the CPU time of the web processes for each request is the steadier figure."""

_HOW = """To repeat: `make bench`, or `python -m benchmarks.api --write`."""


def _ratios(results: Results) -> str:
    rows = [
        (operation, f"{tasks:,}", *_ratio_cells(sides), f"{sides[BARE].web_ms / sides[WHARF].web_ms:.2f}")
        for (operation, tasks), sides in results.items()
    ]
    head = (
        "operation",
        "tasks",
        "Wharf req/s",
        "bare req/s",
        "Wharf ÷ bare",
        "÷ bare with count(*)",
        "bare's CPU ÷ Wharf's",
    )
    return _table(head, rows)


def _ratio_cells(sides: Mapping[str, Figures]) -> tuple[str, str, str, str]:
    ours, bare, counted = sides[WHARF], sides[BARE], sides.get(COUNTED)
    return (
        f"{ours.per_second:.0f}",
        f"{bare.per_second:.0f}",
        f"{ours.per_second / bare.per_second:.2f}",
        f"{ours.per_second / counted.per_second:.2f}" if counted else "",
    )


def _page_line(results: Results) -> str:
    """How much longer the first page takes in the largest table."""
    pages = {tasks: sides[WHARF] for (operation, tasks), sides in results.items() if operation == FIRST_PAGE}
    if len(pages) < 2:  # noqa: PLR2004  # nothing to compare
        return ""
    small, large = min(pages), max(pages)
    ratio = pages[small].per_second / pages[large].per_second
    return (
        f"The first page at {large:,} tasks takes {ratio:.2f} times its time at {small:,} "
        f"(goal: at most {_PAGE_GOAL}); web CPU {pages[large].web_ms / pages[small].web_ms:.2f} times."
    )


def _sides(results: Results) -> str:
    rows = [
        (
            operation,
            f"{tasks:,}",
            side,
            f"{figures.per_second:.0f}",
            f"{figures.p50_ms:.1f}",
            f"{figures.p99_ms:.1f}",
            f"{figures.web_ms:.2f}",
            f"{figures.sql_ms:.2f}",
        )
        for (operation, tasks), sides in results.items()
        for side, figures in sides.items()
    ]
    head = ("operation", "tasks", "side", "req/s", "p50 ms", "p99 ms", "web CPU ms", "PostgreSQL CPU ms")
    return _table(head, rows)


def _machine(postgres: str) -> str:
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {platform.system()} {platform.release()}, {psutil.cpu_count()} cores "
        f"({_processor()}), {memory:.0f} GiB; Python {platform.python_version()}, PostgreSQL {postgres}, {versions}."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
