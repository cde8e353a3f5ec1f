"""Rounds in which every side is measured in turn, so that what else the machine does meets them all."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

from benchmarks.imports.cases import WHOLE, Case
from benchmarks.imports.samples import Samples
from benchmarks.imports.sources import serve_files
from benchmarks.imports.stack import Stack, run_stack
from benchmarks.imports.tables import count_rows, make_rivals_database, reset_table
from benchmarks.imports.wharf import Run, Source, run_import

#: (case, side) → a run for each round.
Results = dict[tuple[str, str], list[Run]]
_WARM_UP_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, how often, with how many processes of the worker, by which Pythons and with which settings."""

    cases: Sequence[Case]
    samples: Samples
    rounds: int
    workers: Sequence[int]
    pythons: Mapping[str, str]
    settings: Mapping[str, str]


def wharf_side(workers: int) -> str:
    """How Wharf with so many processes is called in the results."""
    return f"Wharf, {workers} worker process{'es' if workers > 1 else ''}"


def measure_all(plan: Plan, folder: Path) -> Results:
    """All rounds; a stack for each number of processes in each of them, over the same data."""
    results: Results = defaultdict(list)
    with serve_files(plan.samples.folder) as files:
        for number in range(plan.rounds):
            for workers in plan.workers:
                with run_stack(folder, workers, files, plan.settings) as stack:
                    others = workers == plan.workers[0]
                    _measure_round(plan, stack, f"http://{files}", results, wharf_side(workers), others=others)
            _say(f"round {number + 1} of {plan.rounds} is done")
    return results


def medians(runs: Sequence[Run]) -> Run:
    """The run in the middle, figure by figure."""
    return Run(
        runs[0].rows,
        median(run.seconds for run in runs),
        _middle([run.phases for run in runs]),
        _middle([run.cpu for run in runs]),
        median(run.peak_bytes for run in runs),
    )


def _middle(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in figures for name in each)
    return {name: median(each.get(name, 0.0) for each in figures) for name in names}


def _measure_round(plan: Plan, stack: Stack, files: str, results: Results, side: str, *, others: bool) -> None:
    rivals = make_rivals_database(stack.database_url)
    _warm_up(plan.samples, stack, files)
    for case in plan.cases:
        _add(results, case.name, case.limit, _run_limit(case, plan.samples, rivals))
        if (run := _run_wharf(case, plan.samples, stack, files)) is not None:
            _add(results, case.name, side, run)
        if others:
            _run_others(case, plan, rivals, results)


def _warm_up(samples: Samples, stack: Stack, files: str) -> None:
    """What a worker does once: imports, connections, plans."""
    path = samples.path("warm-up.csv")
    if not path.exists():
        with samples.path("customers.csv").open(encoding="utf-8") as file:
            path.write_text("".join(line for line, _ in zip(file, range(_WARM_UP_ROWS + 1), strict=False)))
    rows = min(samples.rows, _WARM_UP_ROWS)
    for _ in range(4):
        run_import(stack, Source("CUSTOMERS", "CSV", path, f"{files}/{path.name}"), rows, 0)


def _run_limit(case: Case, samples: Samples, url: str) -> Run:
    _reset(case, samples, url)
    return WHOLE[case.limit](url, case.table, samples.path(case.table_file), samples.rows)


def _run_wharf(case: Case, samples: Samples, stack: Stack, files: str) -> Run | None:
    _reset(case, samples, stack.database_url)
    url = None if case.by_upload else f"{files}/{case.file_name}"
    source = Source(case.entity, case.file_type, samples.path(case.file_name), url)
    refused = case.refused(samples.rows)
    try:
        run = run_import(stack, source, samples.rows, refused)
    except (requests.HTTPError, RuntimeError) as error:
        _say(f"{case.name} is left out: {error}")
        return None
    stored = count_rows(stack.database_url, case.table)
    if not case.filled_from and stored != samples.rows - refused:
        message = f"{case.name}: {stored} rows are in the table"
        raise RuntimeError(message)
    return run


def _run_others(case: Case, plan: Plan, url: str, results: Results) -> None:
    for program in case.others:
        python = plan.pythons.get(program.name)
        if python is None:
            continue
        rows = min(program.sample_rows, plan.samples.rows)
        _reset(case, plan.samples, url)
        try:
            run = program.run(python, url, plan.samples.head(case.table_file, rows), rows)
        except subprocess.CalledProcessError as error:
            _say(f"{program.name} failed: {error}")
        else:
            _add(results, case.name, program.name, run)


def _reset(case: Case, samples: Samples, url: str) -> None:
    reset_table(url, case.table, samples.path(case.filled_from) if case.filled_from else None)


def _add(results: Results, case: str, side: str, run: Run) -> None:
    results[case, side].append(run)
    cpu = " ".join(f"{part} {seconds:.1f}" for part, seconds in run.cpu.items())
    phases = " ".join(f"{phase} {seconds:.1f}" for phase, seconds in run.phases.items())
    _say(f"{case}: {side}: {run.seconds:.2f} s, {run.per_second:,.0f} rows/s  {phases}  {cpu}")


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
