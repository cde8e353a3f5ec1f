r"""By hand: `\copy` to a file, then boto3 uploads it in parts, ten at a time."""

from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from benchmarks.exports.program import BUCKET, KEY, Job, run_program
from benchmarks.exports.rivals import copy_command
from benchmarks.imports.tables import run_psql

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def export(job: Job, client: "S3Client") -> None:
    """Export the whole table."""
    with NamedTemporaryFile() as file:
        run_psql(job.url, copy_command(job.table, job.columns, file.name))
        client.upload_file(file.name, BUCKET, KEY)


if __name__ == "__main__":
    run_program(export)
