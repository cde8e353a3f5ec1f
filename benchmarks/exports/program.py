"""What the programs of the comparison share: what they are told, the bucket, and what they tell in the end."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import psutil
from botocore.config import Config

from benchmarks.imports.memory import read_peak
from service.db.models import Customer, Event

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "wharf"
KEY = "benchmark"
MODELS = {"customers": Customer, "events": Event}


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be exported, and where to."""

    url: str
    table: str
    columns: list[str]
    rows: int
    s3_endpoint: str
    access_key_id: str
    secret_access_key: str

    @property
    def sqlalchemy_url(self) -> str:
        """The database by SQLAlchemy's name for its driver."""
        return self.url.replace("postgresql://", "postgresql+psycopg://")

    def make_client(self) -> "S3Client":
        """A client of the bucket as boto3 makes it."""
        return boto3.client(
            "s3",
            endpoint_url=self.s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            # What this server needs; checksums are not known to it.
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )


def run_program(export: Callable[[Job, "S3Client"], None]) -> None:
    """Export once, and print the seconds and the peak of this process's memory."""
    job = Job(**json.load(sys.stdin))
    client = job.make_client()
    begun = time.perf_counter()
    export(job, client)
    seconds = time.perf_counter() - begun
    client.delete_object(Bucket=BUCKET, Key=KEY)
    # Not getrusage: its peak counts what the process that started this one had.
    print(json.dumps({"seconds": seconds, "peak_bytes": read_peak(psutil.Process())}))
