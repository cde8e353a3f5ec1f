"""The benchmark of the API as one command: `python -m benchmarks.api`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil
import psycopg

from benchmarks.api.fill import Filled, fill_database
from benchmarks.api.measure import Effort, Figures, Side, compare
from benchmarks.api.operations import OPERATIONS, Operation, count_too
from benchmarks.api.report import BARE, COUNTED, WHARF, render_report
from benchmarks.api.server import BARE as BARE_COMMAND
from benchmarks.api.server import WHARF as WHARF_COMMAND
from benchmarks.api.server import Server, cpu_seconds, run_server
from service.stack.servers import RunningServers, run_servers

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both web servers over one database."""

    filled: Filled
    wharf: Server
    bare: Server


@click.command()
@click.option("--tasks", "sizes", multiple=True, type=int, default=(1_000, 1_000_000), show_default=True)
@click.option("--only", default="", help="Only operations whose name holds this.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=2.0, show_default=True)
@click.option("--connections", default=8, show_default=True)
@click.option("--processes", default=1, show_default=True, help="Web processes; with one, the client has a core left.")
@click.option("--threads", default=8, show_default=True, help="Threads of each.")
@click.option("--write", is_flag=True, help=f"Write the page to {RESULTS.name}, too.")
def main(
    *,
    sizes: Sequence[int],
    only: str,
    rounds: int,
    seconds: float,
    connections: int,
    processes: int,
    threads: int,
    write: bool,
) -> None:
    """Compare Wharf's API with bare Flask and SQLAlchemy."""
    effort = Effort(connections, rounds, seconds)
    wanted = [operation for operation in OPERATIONS if only in operation.name]
    web = {"WHARF_WEB_PROCESSES": str(processes), "WHARF_WEB_THREADS": str(threads)}
    with TemporaryDirectory(prefix="wharf-bench-") as folder, run_servers(Path(folder), durable=True) as servers:
        pairs = _run_pairs(servers, sizes, web)
        with pairs as running:
            sql = psutil.Process(servers.supervisor.process_id("postgres"))
            results: dict[tuple[str, int], dict[str, Figures]] = {}
            for operation in wanted:
                _say(operation.name)
                found = compare(_sides(operation, running), effort, lambda: cpu_seconds(sql))
                results |= _by_size(operation, running, found)
        version = _version(servers)
    server = f"granian (processes: {processes}, threads of each: {threads})"
    page = render_report(results, effort, server, version)
    print(page)
    if write:
        RESULTS.write_text(page, encoding="utf-8")


@contextmanager
def _run_pairs(servers: RunningServers, sizes: Sequence[int], web: dict[str, str]) -> Iterator[list[Pair]]:
    # The limiter counts, and refuses nobody.
    settings = servers.settings() | web | {"WHARF_REQUESTS_PER_MINUTE": "100000000"}
    with ExitStack() as stack:
        pairs = []
        for tasks in sizes:
            _say(f"{tasks:,} tasks")
            filled = fill_database(servers.postgres, tasks)
            wharf = stack.enter_context(run_server(WHARF_COMMAND, settings, filled))
            bare = stack.enter_context(run_server(BARE_COMMAND, settings, filled))
            pairs.append(Pair(filled, wharf, bare))
        yield pairs


def _sides(operation: Operation, pairs: Sequence[Pair]) -> list[Side]:
    sides = []
    for pair in pairs:
        requests, tasks = operation.requests(pair.filled), pair.filled.tasks
        sides += [Side(f"{WHARF} {tasks}", pair.wharf, requests), Side(f"{BARE} {tasks}", pair.bare, requests)]
        if operation.is_list:
            sides.append(Side(f"{COUNTED} {tasks}", pair.bare, [count_too(request) for request in requests]))
    return sides


def _by_size(
    operation: Operation, pairs: Sequence[Pair], found: dict[str, Figures]
) -> dict[tuple[str, int], dict[str, Figures]]:
    return {
        (operation.name, tasks): {
            side: found[f"{side} {tasks}"] for side in (WHARF, BARE, COUNTED) if f"{side} {tasks}" in found
        }
        for tasks in (pair.filled.tasks for pair in pairs)
    }


def _version(servers: RunningServers) -> str:
    with psycopg.connect(servers.postgres.url()) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "?"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
