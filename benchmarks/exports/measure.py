"""Rounds in which every side is measured in turn, so that what else the machine does meets them all."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from benchmarks.exports.cases import COLUMNS, Case
from benchmarks.exports.rivals import copy_nowhere
from benchmarks.exports.wharf import run_export
from benchmarks.imports.measure import Results, wharf_side
from benchmarks.imports.samples import write_table_file
from benchmarks.imports.stack import Stack, run_stack
from benchmarks.imports.tables import reset_table
from benchmarks.imports.wharf import Run

LIMIT: Final = "COPY … TO STDOUT to nowhere"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, with how many customers, how often, with how many processes, and with which settings."""

    cases: Sequence[Case]
    customers: int
    rounds: int
    workers: Sequence[int]
    settings: Mapping[str, str]
    limits_only: bool


def measure_all(plan: Plan, folder: Path) -> Results:
    """All rounds; a stack for each number of processes in each of them, over the same tables."""
    results: Results = defaultdict(list)
    is_filled = False
    for number in range(plan.rounds):
        for workers in plan.workers:
            with run_stack(folder, workers, "", plan.settings) as stack:
                if not is_filled:
                    _fill(plan, stack, folder)
                    is_filled = True
                _measure_round(plan, stack, results, workers)
        _say(f"round {number + 1} of {plan.rounds} is done")
    return results


def _fill(plan: Plan, stack: Stack, folder: Path) -> None:
    """Fill the tables as if long ago: vacuumed, all of it on disk."""
    for case in {case.table: case for case in plan.cases}.values():
        path = folder / f"{case.table}.table"
        write_table_file(path, case.table, case.rows(plan.customers))
        reset_table(stack.database_url, case.table, path)
        path.unlink()


def _measure_round(plan: Plan, stack: Stack, results: Results, workers: int) -> None:
    # What a worker does once: imports, connections, plans.
    warm_up = plan.cases[0]
    for _ in range(workers + 1):
        run_export(stack, warm_up, warm_up.rows(plan.customers))
    for case in plan.cases:
        columns, rows = COLUMNS[case.table], case.rows(plan.customers)
        _add(results, case, LIMIT, copy_nowhere(stack, case.table, columns, rows))
        try:
            _add(results, case, wharf_side(workers), run_export(stack, case, rows))
        except (requests.HTTPError, RuntimeError) as error:
            _say(f"{case.name} is left out: {error}")
        if workers == plan.workers[0] and not plan.limits_only:
            _run_others(case, stack, rows, results)


def _run_others(case: Case, stack: Stack, rows: int, results: Results) -> None:
    for program in case.others:
        try:
            run = program.run(stack, case.table, COLUMNS[case.table], rows)
        except subprocess.CalledProcessError as error:
            _say(f"{program.name} failed: {error}")
        else:
            _add(results, case, program.name, run)


def _add(results: Results, case: Case, side: str, run: Run) -> None:
    results[case.name, side].append(run)
    cpu = " ".join(f"{part} {seconds:.1f}" for part, seconds in run.cpu.items())
    memory = f"{run.peak_bytes / 2**20:.0f} MiB" if run.peak_bytes else ""
    _say(f"{case.name}: {side}: {run.seconds:.2f} s, {run.per_second:,.0f} rows/s  {memory}  {cpu}")


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
