"""SQLAlchemy as its documentation says to read many rows: `yield_per`, the csv module, then `upload_fileobj`."""

import csv
import io
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from benchmarks.exports.program import BUCKET, KEY, MODELS, Job, run_program
from benchmarks.imports.samples import SCOPE_ID

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ROWS = 1000


def export(job: Job, client: "S3Client") -> None:
    """Export the table by way of a file."""
    table = MODELS[job.table].__table__
    statement = select(*(table.c[name] for name in job.columns)).where(table.c.scope_id == SCOPE_ID).limit(job.rows)
    with TemporaryFile() as file, Session(create_engine(job.sqlalchemy_url)) as session:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(job.columns)
        writer.writerows(session.execute(statement, execution_options={"yield_per": _ROWS}))
        text.flush()
        file.seek(0)
        client.upload_fileobj(file, BUCKET, KEY)


if __name__ == "__main__":
    run_program(export)
