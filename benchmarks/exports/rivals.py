r"""What Wharf's exports are compared with: COPY to nowhere, and what people write by hand."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.imports.samples import SCOPE_ID
from benchmarks.imports.stack import Stack
from benchmarks.imports.tables import run_psql
from benchmarks.imports.wharf import Run
from service.stack.credentials import load_credentials
from service.stack.folder import StackFolder

_ROOT = Path(__file__).parents[2]


def copy_command(table: str, columns: Sequence[str], path: str) -> str:
    r"""The `\copy` of psql that writes a scope's rows as CSV to a file of the client."""
    return f"\\copy (SELECT {', '.join(columns)} FROM {table} WHERE scope_id = {SCOPE_ID}) TO '{path}' CSV HEADER"


def copy_nowhere(stack: Stack, table: str, columns: Sequence[str], rows: int) -> Run:
    """The rows as CSV, thrown away by psql: the limit."""
    begun = time.perf_counter()
    run_psql(stack.database_url, copy_command(table, columns, os.devnull))
    return Run(rows, time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that exports a table to the bucket: `python -m benchmarks.exports.<module>`.

    It reads one JSON object: url, table, columns, rows (as many as it is to export) and the S3 endpoint with its keys.
    It prints the seconds from its first statement to the end of the upload, and the most memory it had.
    """

    name: str
    module: str
    sample_rows: int | None = None

    def rows(self, rows: int) -> int:
        """How many of so many rows it exports."""
        return min(rows, self.sample_rows or rows)

    def run(self, stack: Stack, table: str, columns: Sequence[str], rows: int) -> Run:
        """Export the first rows; raises CalledProcessError."""
        keys = load_credentials(StackFolder(stack.data_dir).credentials, holds_database=True)
        given = {
            "url": stack.database_url,
            "table": table,
            "columns": list(columns),
            "rows": self.rows(rows),
            "s3_endpoint": stack.s3_endpoint,
            "access_key_id": keys.s3_access_key_id,
            "secret_access_key": keys.s3_secret_access_key,
        }
        answer = subprocess.run(
            [sys.executable, "-m", f"benchmarks.exports.{self.module}"],
            check=True,
            cwd=_ROOT,
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
        )
        found = json.loads(answer.stdout)
        return Run(self.rows(rows), float(found["seconds"]), peak_bytes=float(found["peak_bytes"]))


BY_HAND = Program(r"psql \copy to a file, then boto3 upload_file", "with_psql")
YIELD_PER = Program("SQLAlchemy yield_per, csv, upload_fileobj", "with_sqlalchemy")
#: Each page reads all rows before it again, so that its time grows with their square.
ORIGINAL = Program("pages of 500 by OFFSET, the file in memory", "with_offset", 100_000)
