"""Exports whose process or store is lost midway: nothing is left of them but the reason."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import Scope, Task
from service.exports.run import run_export
from service.exports.tidy import tidy_exports
from service.storage.s3 import S3ObjectStore
from service.sweep import sweep
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit
from tests.fakes.stores import Front, run_front

MIB = 1024 * 1024
ROWS = 25_000
#: A worker's process for one export.
RUN = """
import sys
from service.exports.run import run_export
from tasks.workbench import workbench
run_export(workbench(), sys.argv[1])
"""


@pytest.fixture
def rows(bench: Workbench, scope: Scope) -> None:
    """Some 20 MB of customers, so four parts."""
    with bench.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                "SELECT :scope_id, 'c-' || number, 'cust_' || number, repeat(md5(number::text), 25), 0, number "
                "FROM generate_series(1, :rows) AS number"
            ),
            {"scope_id": scope.id, "rows": ROWS},
        )


@pytest.fixture
def front(bench: Workbench) -> Iterator[Front]:
    """A server before the store."""
    with run_front(str(bench.settings.s3_endpoint)) as running:
        yield running


@dataclass
class AtPut:
    """Does something when so many parts were sent."""

    number: int
    process: "subprocess.Popen[bytes] | None" = None

    def __call__(self, method: str) -> None:
        """A request has come in."""
        self.number -= method == "PUT"
        if not self.number and self.process is not None:
            self.process.kill()


def behind(bench: Workbench, front: Front, bucket: str | None = None) -> Workbench:
    """A worker that reaches the store through the front."""
    settings = replace(
        bench.settings, s3_endpoint=front.endpoint, s3_bucket=bucket or bench.settings.s3_bucket, part_bytes=5 * MIB
    )
    return replace(bench, settings=settings, store=S3ObjectStore.from_settings(settings))


def submit_all(bench: Workbench, scope: Scope) -> Task:
    return submit(bench, scope, NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, FileType.CSV))


def base_of(task: Task, attempt: int) -> str:
    return f"tenant_a/env_a/customers/customers-{task.id}-{attempt}."


@pytest.mark.usefixtures("rows")
def test_an_export_whose_process_is_killed_midway_is_made_afresh_and_nothing_of_the_first_is_left(
    bench: Workbench, store_variables: dict[str, str], scope: Scope, front: Front
) -> None:
    task = submit_all(bench, scope)
    front.on_request = killing = AtPut(2)
    variables = {
        **os.environ, **store_variables, "WHARF_DATABASE_URL": bench.settings.database_url,
        "WHARF_S3_ENDPOINT": front.endpoint, "WHARF_PART_BYTES": str(5 * MIB),
    }  # fmt: skip
    killing.process = subprocess.Popen([sys.executable, "-c", RUN, task.id], env=variables)
    assert killing.process.wait(60) == -9
    left = reload(bench, task)
    assert (left.state, left.attempt, left.file_url) == (TaskState.PROCESSING, 1, "")
    assert [upload.key for upload in bench.store.list_multiparts(base_of(task, 1))] == [f"{base_of(task, 1)}csv"]

    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(lease_expires_at=seconds_from_now(-1)))
    sweep(bench)
    assert run_export(bench, task.id)
    tidy_exports(bench)
    done = reload(bench, task)
    assert (done.state, done.attempt, done.total_records) == (TaskState.COMPLETED, 2, ROWS)
    assert done.file_url.endswith(f"{base_of(task, 2)}csv")
    assert list(bench.store.list_multiparts(base_of(task, 1))) == []
    assert bench.store.head(f"{base_of(task, 1)}csv") is None


class Refusing(AtPut):
    """The store lets nobody in once so many parts were sent."""

    def __init__(self, front: Front, number: int) -> None:
        super().__init__(number)
        self._front = front

    def __call__(self, method: str) -> None:
        """See AtPut."""
        super().__call__(method)
        if not self.number:
            self._front.refused = {"PUT", "POST", "HEAD", "DELETE"}


@pytest.mark.usefixtures("rows")
def test_credentials_that_are_taken_away_midway_end_the_export_with_the_reason(
    bench: Workbench, scope: Scope, front: Front
) -> None:
    task = submit_all(bench, scope)
    front.on_request = Refusing(front, 2)
    assert run_export(behind(bench, front), task.id)
    failed = reload(bench, task)
    assert (failed.state, failed.file_url, failed.attempt) == (TaskState.FAILED, "", 1)
    assert "AccessDenied" in str(failed.error_summary)
    assert len(list(bench.store.list_multiparts(base_of(task, 1)))) == 1
    tidy_exports(bench)
    assert list(bench.store.list_multiparts(base_of(task, 1))) == []


@pytest.mark.usefixtures("rows")
def test_a_bucket_that_is_gone_ends_the_export_with_the_reason(bench: Workbench, scope: Scope, front: Front) -> None:
    task = submit_all(bench, scope)
    bucket = f"gone-{uuid4().hex}"
    assert run_export(behind(bench, front, bucket), task.id)
    failed = reload(bench, task)
    assert (failed.state, failed.file_url) == (TaskState.FAILED, "")
    assert bucket in str(failed.error_summary)
