"""The figures as a page of markdown."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.imports.cases import COPY, EVENTS_CSV, EVENTS_NDJSON, EXISTING, EXISTING_BAD, MERGE, NEW, NEW_BAD
from benchmarks.imports.measure import Plan, Results, medians, wharf_side
from benchmarks.imports.rivals import ROW_BY_ROW
from benchmarks.imports.steps import ROWS, STEPS
from benchmarks.imports.wharf import Run

Medians = Mapping[tuple[str, str], Run]
_PACKAGES = ("pyarrow", "marshmallow", "sqlalchemy", "psycopg", "celery")
_PARTS = ("worker", "postgres", "s3", "web", "valkey", "beat", "flower")
_PHASES = ("waiting", "fetching", "loading", "finishing")


def render_report(plan: Plan, results: Results, steps: Mapping[str, Mapping[str, float]]) -> str:
    """The whole page."""
    found = {key: medians(runs) for key, runs in results.items()}
    most = wharf_side(max(plan.workers))
    parts = [
        _HEAD.format(rows=plan.samples.rows, rounds=plan.rounds, samples=_samples(plan)),
        make_table(("what", "against", "rows/s", "its rows/s", "ratio", "goal"), list(_goals(found, most, plan))),
        "## Each side",
        make_table(("what", "side", "rows", "seconds", "rows/s", "÷ limit"), list(_sides(plan, found))),
        "## Where the time goes",
        _TIME,
        make_table(("what", "workers", *_PHASES, *(f"{part} CPU" for part in _PARTS)), list(_times(plan, found))),
        _STEPS,
        make_table(("what", *STEPS), [(name, *(f"{one[step]:.2f}" for step in STEPS)) for name, one in steps.items()]),
        "## Where",
        tell_machine(),
        "To repeat: `make bench`, or `python -m benchmarks.imports --write`.",
    ]
    return "\n\n".join(parts) + "\n"


_HEAD = """# Imports against COPY, MERGE and others

Wharf as `wharf up` starts it, all of it on one machine: from the creation of a task to its end, the file of
{rows:,} rows read over HTTP, unless it says "upload". Medians of {rounds} rounds in which the sides take turns;
before each run the table is emptied or filled afresh, vacuumed and written to disk.

The other side of each ratio gets rows that are ready for the table, ids among them, and checks nothing of them:
`psql` (of the same PostgreSQL, with the same settings) copies them into a table with the same indexes.
"COPY + MERGE" copies them into a temporary table, analyses it and merges it, in one transaction.
What is slow loads the first rows only: {samples}."""

_TIME = """Seconds; phases as a poll every 0.2 s sees them, and what each part has spent of the two cores."""

_STEPS = f"""One process by itself, with nothing else at work: seconds for a million rows (from {ROWS:,}). "survey" is
the part of fetching that looks at the bytes; "read" and "judge" turn a chunk into columns and tell the clean rows,
"refuse" is for the others; "render" makes COPY's text, and "merge" is mostly to wait for PostgreSQL."""


def _samples(plan: Plan) -> str:
    programs = {program.name: program for case in plan.cases for program in case.others}
    return "; ".join(f"{name} {min(one.sample_rows, plan.samples.rows):,}" for name, one in programs.items())


def _goals(found: Medians, most: str, plan: Plan) -> Iterator[tuple[str, ...]]:
    """The ratios that were promised, as far as their sides were measured."""
    fewest = wharf_side(min(plan.workers))
    wanted = (
        ((NEW, most), (NEW, COPY), "≥ 1.0"),
        ((EXISTING, most), (EXISTING, MERGE), "≥ 1.0"),
        ((NEW_BAD, most), (NEW, most), "≥ 0.9"),
        ((EXISTING_BAD, most), (EXISTING, most), "≥ 0.9"),
        ((NEW, most), (NEW, ROW_BY_ROW.name), "≥ 30"),
        ((EXISTING, most), (EXISTING, ROW_BY_ROW.name), "≥ 30"),
        ((EVENTS_NDJSON, most), (EVENTS_CSV, most), "≥ 0.8"),
        ((NEW, most), (NEW, fewest), "≥ 1.7, or the database is the limit"),
    )
    for ours, against, goal in wanted:
        if ours in found and against in found and ours != against:
            one, other = found[ours].per_second, found[against].per_second
            yield ": ".join(ours), ": ".join(against), f"{one:,.0f}", f"{other:,.0f}", f"{one / other:.2f}", goal


def _sides(plan: Plan, found: Medians) -> Iterator[tuple[str, ...]]:
    for case in plan.cases:
        limit = found[case.name, case.limit].per_second
        for (name, side), run in found.items():
            if name == case.name:
                ratio = f"{run.per_second / limit:.3g}"
                yield name, side, f"{run.rows:,}", f"{run.seconds:.2f}", f"{run.per_second:,.0f}", ratio


def _times(plan: Plan, found: Medians) -> Iterator[tuple[str, ...]]:
    for case in plan.cases:
        for workers in sorted(plan.workers):
            run = found.get((case.name, wharf_side(workers)))
            if run:
                phases = (f"{run.phases.get(phase, 0.0):.1f}" for phase in _PHASES)
                yield case.name, str(workers), *phases, *(f"{run.cpu.get(part, 0.0):.1f}" for part in _PARTS)


def tell_machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {platform.system()} {platform.release()}, {psutil.cpu_count()} cores "
        f"({_processor()}), {memory:.0f} GiB; Python {platform.python_version()}, PostgreSQL 18, {versions}."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def make_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
