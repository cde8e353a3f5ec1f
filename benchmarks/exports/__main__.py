"""The benchmark of exports as one command: `python -m benchmarks.exports`."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.exports.cases import CASES
from benchmarks.exports.measure import Plan, measure_all
from benchmarks.exports.report import render_report

RESULTS = Path(__file__).with_name("RESULTS.md")


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Customers; there are five times as many events.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--workers", multiple=True, type=int, default=(2, 1), show_default=True, help="Processes of the worker.")
@click.option("--only", default="", help="Only cases whose name holds this.")
@click.option("--limits-only", is_flag=True, help="Leave out what people would write instead.")
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
    """Compare Wharf's exports with COPY to nowhere and with other ways to the same object."""
    cases = [case for case in CASES if only in case.name]
    given = dict(setting.split("=", 1) for setting in settings)
    with TemporaryDirectory(prefix="wharf-bench-") as folder:
        plan = Plan(cases, rows, rounds, workers, given, limits_only)
        page = render_report(plan, measure_all(plan, Path(folder)))
    print(page)
    if write:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
