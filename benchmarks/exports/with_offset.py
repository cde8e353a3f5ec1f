"""As the service that Wharf stands in for exports: pages of 500 by OFFSET, all rows and the whole file in memory."""

import csv
import io
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.orm import Session

from benchmarks.exports.program import BUCKET, KEY, MODELS, Job, run_program
from benchmarks.imports.samples import SCOPE_ID

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PAGE_ROWS = 500


def export(job: Job, client: "S3Client") -> None:
    """Export the first rows of the table, in the order of its key."""
    model = MODELS[job.table]
    table = model.__table__
    wanted = [table.c[name] for name in job.columns]
    statement = select(*wanted).where(table.c.scope_id == SCOPE_ID).order_by(*inspect(model).primary_key)
    rows: list[Any] = []
    with Session(create_engine(job.sqlalchemy_url)) as session:
        for offset in range(0, job.rows, _PAGE_ROWS):
            rows += session.execute(statement.limit(_PAGE_ROWS).offset(offset)).all()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(job.columns)
    writer.writerows(rows)
    client.put_object(Bucket=BUCKET, Key=KEY, Body=text.getvalue().encode())


if __name__ == "__main__":
    run_program(export)
