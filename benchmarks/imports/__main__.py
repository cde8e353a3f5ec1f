"""The benchmark of imports as one command: `python -m benchmarks.imports`."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.imports.cases import CASES
from benchmarks.imports.measure import Plan, measure_all
from benchmarks.imports.report import render_report
from benchmarks.imports.rivals import PROGRAMS, make_environments
from benchmarks.imports.samples import write_samples
from benchmarks.imports.steps import measure_steps

RESULTS = Path(__file__).with_name("RESULTS.md")
_ENVIRONMENTS = Path(__file__).parents[2] / "var" / "benchmarks"


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--workers", multiple=True, type=int, default=(2, 1), show_default=True, help="Processes of the worker.")
@click.option("--only", default="", help="Only cases whose name holds this.")
@click.option("--limits-only", is_flag=True, help="Leave out what people would pick instead.")
@click.option("--setting", "settings", multiple=True, help="WHARF_NAME=VALUE for the stack, to try it out.")
@click.option("--write", is_flag=True, help=f"Write the page to {RESULTS.name}, too.")
def main(
    *,
    rows: int,
    rounds: int,
    workers: Sequence[int],
    only: str,
    limits_only: bool,
    settings: Sequence[str],
    write: bool,
) -> None:
    """Compare Wharf's imports with PostgreSQL's own ways and with other programs."""
    pythons = {} if limits_only else make_environments(_ENVIRONMENTS, PROGRAMS)
    cases = [case for case in CASES if only in case.name]
    with TemporaryDirectory(prefix="wharf-bench-") as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        plan = Plan(
            cases,
            write_samples(files, rows),
            rounds,
            workers,
            pythons,
            dict(setting.split("=", 1) for setting in settings),
        )
        page = render_report(plan, measure_all(plan, folder), measure_steps(cases, folder))
    print(page)
    if write:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
