"""The figures of exports as a page of markdown."""

from collections.abc import Iterator

from benchmarks.exports.cases import CSV, OTHERS, Case
from benchmarks.exports.measure import LIMIT, Plan
from benchmarks.exports.rivals import BY_HAND, ORIGINAL, YIELD_PER
from benchmarks.imports.measure import Results, medians, wharf_side
from benchmarks.imports.report import Medians, make_table, tell_machine

_MIB = 2**20
_PARTS = ("worker", "postgres", "s3", "web", "valkey", "beat", "flower")
_MEMORY_GOAL_MIB = 200


def render_report(plan: Plan, results: Results) -> str:
    """The whole page."""
    found = {key: medians(runs) for key, runs in results.items()}
    parts = [
        _HEAD.format(rounds=plan.rounds, samples=_samples(plan)),
        make_table(("what", "against", "rows/s", "its rows/s", "ratio", "goal"), list(_goals(plan, found))),
        _memory_goal(plan, results),
        "## Each side",
        make_table(("what", "side", "rows", "seconds", "rows/s", "÷ COPY", "peak MiB"), list(_sides(plan, found))),
        "## Where the time goes",
        "CPU seconds of each part, of the cores of this machine.",
        make_table(("what", "workers", "seconds", *_PARTS), list(_times(plan, found))),
        "## Where",
        tell_machine(),
        "To repeat: `python -m benchmarks.exports --write`.",
    ]
    return "\n\n".join(parts) + "\n"


_HEAD = r"""# Exports against COPY and others

Wharf as `wharf up` starts it, all of it on one machine: from the creation of a task to its end, a whole table to an
object in the bucket. Medians of {rounds} rounds in which the sides take turns; the tables are vacuumed and on disk.

The limit writes the same columns of the same rows as CSV, whatever the format of the export: psql takes them by
`\copy` and throws them away, nothing is uploaded. The others make CSV and upload it to the same store. {samples}

Memory is the peak of what one process had resident, by the kernel's account, libraries that processes share included:
of Wharf's, that of the pool process that needed most during the export."""


def _samples(plan: Plan) -> str:
    told = [
        f"What is slow exports the first rows only: {program.name}, {program.sample_rows:,}."
        for program in OTHERS
        if program.sample_rows and any(case.rows(plan.customers) > program.sample_rows for case in plan.cases)
    ]
    return " ".join(told)


def _goals(plan: Plan, found: Medians) -> Iterator[tuple[str, ...]]:
    """The ratios that were promised, as far as their sides were measured."""
    one, two = wharf_side(1), wharf_side(2)
    wanted = (
        (one, LIMIT, "≥ 0.8"),
        (two, LIMIT, "≥ 1.2"),
        (one, ORIGINAL.name, "≥ 10"),
        (one, BY_HAND.name, ""),
        (one, YIELD_PER.name, ""),
    )
    for case in (case for case in plan.cases if case.file_type == CSV and case.compression == "none"):
        for ours, against, goal in wanted:
            mine, other = found.get((case.name, ours)), found.get((case.name, against))
            if mine and other:
                figures = (f"{mine.per_second:,.0f}", f"{other.per_second:,.0f}")
                yield f"{case.name}: {ours}", against, *figures, f"{mine.per_second / other.per_second:.2f}", goal


def _memory_goal(plan: Plan, results: Results) -> str:
    """The most that any export took, of all rounds."""
    peaks = {
        key: max(run.peak_bytes for run in runs)
        for key, runs in results.items()
        if key[1] in {wharf_side(workers) for workers in plan.workers}
    }
    if not peaks:
        return "No export was measured."
    name, _ = most = max(peaks, key=lambda key: peaks[key])
    return f"Peak memory of a worker's process: {peaks[most] / _MIB:.0f} MiB ({name}; goal: < {_MEMORY_GOAL_MIB} MB)."


def _sides(plan: Plan, found: Medians) -> Iterator[tuple[str, ...]]:
    for case in plan.cases:
        limit = found[case.name, LIMIT].per_second
        for (name, side), run in found.items():
            if name == case.name:
                peak = f"{run.peak_bytes / _MIB:.0f}" if run.peak_bytes else ""
                figures = (f"{run.rows:,}", f"{run.seconds:.2f}", f"{run.per_second:,.0f}")
                yield name, side, *figures, f"{run.per_second / limit:.3g}", peak


def _times(plan: Plan, found: Medians) -> Iterator[tuple[str, ...]]:
    for case in plan.cases:
        for workers in sorted(plan.workers):
            yield from _time(case, workers, found)


def _time(case: Case, workers: int, found: Medians) -> Iterator[tuple[str, ...]]:
    run = found.get((case.name, wharf_side(workers)))
    if run:
        spent = (f"{run.cpu.get(part, 0.0):.1f}" for part in _PARTS)
        yield case.name, str(workers), f"{run.seconds:.2f}", *spent
