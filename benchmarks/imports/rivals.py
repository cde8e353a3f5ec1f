r"""What Wharf is compared with: PostgreSQL's own COPY, and what people write or pick instead."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.imports.samples import CUSTOMER_COLUMNS, EVENT_COLUMNS, SCOPE_ID
from benchmarks.imports.tables import copy_command, run_psql
from benchmarks.imports.wharf import Run

_FOLDER = Path(__file__).parent
_ROOT = _FOLDER.parents[1]
_KEYS = {"customers": "external_id", "events": "event_id"}
_COLUMNS = {"customers": CUSTOMER_COLUMNS, "events": EVENT_COLUMNS}


def copy_whole(url: str, table: str, path: Path, rows: int) -> Run:
    r"""One `\copy` of a file of the table's own columns: the limit."""
    return _timed(url, rows, copy_command(table, path))


def copy_and_merge(url: str, table: str, path: Path, rows: int) -> Run:
    r"""What is written by hand: `\copy` to a temporary table, ANALYZE, one MERGE."""
    key, columns = _KEYS[table], _COLUMNS[table]
    changed = ", ".join(_merged(name) for name in columns if name not in {"id", "scope_id", key})
    listed, given = ", ".join(columns), ", ".join(f"given.{name}" for name in columns)
    return _timed(
        url,
        rows,
        f"CREATE TEMPORARY TABLE given AS SELECT {listed} FROM {table} WITH NO DATA",
        copy_command(table, path, into="given"),
        "ANALYZE given",
        f"MERGE INTO {table} AS kept USING given ON kept.scope_id = {SCOPE_ID} AND kept.{key} = given.{key} "
        f"WHEN MATCHED THEN UPDATE SET {changed}, updated_at = now() "
        f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({given})",
    )


def _merged(name: str) -> str:
    """The rule that Wharf has: a blank keeps what is stored, metadata merges key by key."""
    if name == "metadata":
        return "metadata = kept.metadata || given.metadata"
    return f"{name} = COALESCE(given.{name}, kept.{name})"


def _timed(url: str, rows: int, *commands: str) -> Run:
    begun = time.perf_counter()
    run_psql(url, *commands)
    return Run(rows, time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that loads a table file: `<python> -m benchmarks.imports.<module> URL FILE`.

    It prints the seconds from opening the file to the last commit. `packages` are what it needs in an environment of
    its own; without any it runs in Wharf's.
    """

    name: str
    module: str
    sample_rows: int
    packages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def run(self, python: str, url: str, path: Path, rows: int) -> Run:
        """Load the file; raises CalledProcessError."""
        words = [python, "-m", f"benchmarks.imports.{self.module}", url, str(path), *self.options]
        answer = subprocess.run(words, check=True, cwd=_ROOT, stdout=subprocess.PIPE)
        return Run(rows, float(json.loads(answer.stdout)["seconds"]))


_PANDAS_PACKAGES = ("pandas==3.1.1", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9")
_DJANGO_PACKAGES = ("django==5.2.19", "django-import-export==4.4.3", "psycopg[binary]==3.3.9")

ROW_BY_ROW = Program("SQLAlchemy, row by row", "with_sqlalchemy", 10_000)
PANDAS = Program("pandas.to_sql", "with_pandas", 20_000, _PANDAS_PACKAGES)
PANDAS_MULTI = Program('pandas.to_sql, method="multi"', "with_pandas", 20_000, _PANDAS_PACKAGES, ("multi",))
DJANGO = Program("django-import-export, use_bulk", "with_django", 5_000, _DJANGO_PACKAGES)
PROGRAMS = (ROW_BY_ROW, PANDAS, PANDAS_MULTI, DJANGO)


def make_environments(folder: Path, programs: Sequence[Program]) -> dict[str, str]:
    """A Python for each program that has its packages; one that cannot be made is left out, and said so."""
    pythons = {}
    for program in programs:
        python = folder / program.module / "bin" / "python"
        try:
            if not program.packages:
                pythons[program.name] = sys.executable
                continue
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", str(folder / program.module)], check=True)
            words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *program.packages]
            subprocess.run(words, check=True)
        except subprocess.CalledProcessError as error:
            print(f"{program.name} is left out, it cannot be installed: {error}", file=sys.stderr)
            continue
        pythons[program.name] = str(python)
    return pythons
