"""Rounds in which every side is measured once, so that what else the machine does meets them all; and their medians."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.api.client import load
from benchmarks.api.server import Server


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared: its server and the requests that it gets."""

    name: str
    server: Server
    requests: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests per second, times in milliseconds; `web_ms` and `sql_ms` are CPU time for each request."""

    per_second: float
    p50_ms: float
    p99_ms: float
    web_ms: float
    sql_ms: float


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard, how often and how long."""

    connections: int
    rounds: int
    seconds: float


def compare(sides: Sequence[Side], effort: Effort, sql_seconds: Callable[[], float]) -> dict[str, Figures]:
    """The medians of each side over the rounds; the first of all is for warming up and counts for nothing."""
    taken: dict[str, list[Figures]] = {side.name: [] for side in sides}
    for number in range(effort.rounds + 1):
        for side in sides:
            figures = _measure(side, effort, sql_seconds)
            if number:
                taken[side.name].append(figures)
    return {name: _medians(rounds) for name, rounds in taken.items()}


def _measure(side: Side, effort: Effort, sql_seconds: Callable[[], float]) -> Figures:
    web_before, sql_before = side.server.cpu_seconds(), sql_seconds()
    run = load(side.server.port, side.requests, effort.connections, effort.seconds)
    web, in_sql = side.server.cpu_seconds() - web_before, sql_seconds() - sql_before
    return Figures(
        run.requests / run.seconds,
        1000 * median(run.latencies),
        1000 * quantiles(run.latencies, n=100, method="inclusive")[-1],
        1000 * web / run.requests,
        1000 * in_sql / run.requests,
    )


def _medians(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        *(median(getattr(one, name) for one in rounds) for name in Figures.__dataclass_fields__),
    )
