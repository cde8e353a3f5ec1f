"""Which engine turns chunks into columns: `python -m benchmarks.columns` measures those that were considered."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.columns.report import render_report

RESULTS = Path(__file__).with_name("RESULTS.md")
_ROOT = Path(__file__).parents[2]
_ENVIRONMENTS = _ROOT / "var" / "benchmarks"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine, what has to be installed for it (nothing: Wharf's own environment has it), and its rounds."""

    name: str
    packages: tuple[str, ...] = ()
    is_slow: bool = False


CANDIDATES = (
    Candidate("pyarrow"),
    Candidate("polars", ("polars==2.1.0",)),
    Candidate("duckdb", ("duckdb==2.0.0",)),
    Candidate("marshmallow", is_slow=True),
    Candidate("wharf"),
)


@click.command()
@click.option("--mib", default=4, show_default=True, help="Length of a chunk.")
@click.option("--rounds", default=7, show_default=True)
@click.option("--write", is_flag=True, help=f"Write the page to {RESULTS.name}, too.")
def main(*, mib: int, rounds: int, write: bool) -> None:
    """Compare engines on one thread each."""
    found: dict[str, Any] = {}
    for candidate in CANDIDATES:
        try:
            figures = _measure(candidate, mib * _MIB, 1 if candidate.is_slow else rounds)
        except subprocess.CalledProcessError as error:
            print(f"{candidate.name} is left out: {error}", file=sys.stderr)
        else:
            found[candidate.name] = figures
    page = render_report(found, mib)
    print(page)
    if write:
        RESULTS.write_text(page, encoding="utf-8")


def _measure(candidate: Candidate, size_bytes: int, rounds: int) -> Any:
    words = [_python(candidate), "-m", "benchmarks.columns.engine", candidate.name, str(size_bytes), str(rounds)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(words, check=True, cwd=_ROOT, env=environment, stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def _python(candidate: Candidate) -> str:
    """The Python that has the engine; raises CalledProcessError when it cannot be installed."""
    if not candidate.packages:
        return sys.executable
    folder = _ENVIRONMENTS / f"with_{candidate.name}"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *candidate.packages]
    subprocess.run(words, check=True)
    return str(python)


if __name__ == "__main__":
    main()
