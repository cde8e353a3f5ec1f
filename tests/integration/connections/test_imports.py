"""Imports from a customer's own bucket."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.connections.records import delete_connection
from service.db.models import Connection, Customer, Scope, Task
from service.imports.run import run_imports
from service.storage.multipart import MIB
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit
from tests.fakes.stores import Front
from tests.integration.connections.conftest import Connect, Theirs

ROWS = b"external_id,name\nc-1,One\nc-2,Two\n"


def run(bench: Workbench, scope: Scope, connection: Connection, url: str, file_type: FileType = FileType.CSV) -> Task:
    """An import from there, done to its end."""
    new = NewTask(TaskType.IMPORT, EntityType.CUSTOMERS, file_type, file_url=url, connection_id=connection.id)
    task = submit(bench, scope, new)
    while run_imports(bench, task.id):
        pass
    return reload(bench, task)


def customers(bench: Workbench) -> dict[str, str]:
    with bench.sessions() as session:
        rows = session.execute(select(Customer.external_id, Customer.name))
        return {row.external_id: row.name for row in rows}


def parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table({"external_id": ["c-1", "c-2"], "name": ["One", "Two"]}), written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("file_type", "content"),
    [
        (FileType.CSV, ROWS),
        (FileType.NDJSON, b'{"external_id":"c-1","name":"One"}\n{"external_id":"c-2","name":"Two"}\n'),
        (FileType.PARQUET, parquet()),
    ],
)
def test_an_object_is_read_from_their_bucket(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs, file_type: FileType, content: bytes
) -> None:
    theirs.store().put("in box/März.csv", content, "text/csv", {})
    task = run(bench, scope, connect(theirs.body()), f"s3://{theirs.bucket}/in box/März.csv", file_type)
    assert (task.state, task.error_summary, task.created_records) == (TaskState.COMPLETED, None, 2)
    assert customers(bench) == {"c-1": "One", "c-2": "Two"}


@pytest.mark.parametrize("theirs", ["rclone"], indirect=True)
def test_a_large_object_is_read_through_in_blocks(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    content = b"external_id,name\n" + b"".join(b"c-%d,%s\n" % (number, b"x" * 100) for number in range(40_000))
    assert len(content) > 4 * MIB
    theirs.store().put("large.csv", content, "text/csv", {})
    task = run(bench, scope, connect(theirs.body()), f"s3://{theirs.bucket}/large.csv")
    assert (task.state, task.created_records, task.source_bytes) == (TaskState.COMPLETED, 40_000, len(content))


def test_an_object_that_is_not_there_is_told(connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs) -> None:
    task = run(bench, scope, connect(theirs.body()), f"s3://{theirs.bucket}/nothing.csv")
    assert (task.state, task.error_code, task.error_summary) == (
        TaskState.FAILED,
        "source_refused",
        f"There is no object s3://{theirs.bucket}/nothing.csv; put it there and create a new task",
    )


@pytest.mark.parametrize("theirs", ["rclone"], indirect=True)
def test_a_bucket_that_no_longer_lets_us_in_is_told_with_its_connection(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs, front: Front
) -> None:
    connection = connect(theirs.body(endpoint_url=front.endpoint))
    theirs.store().put("rows.csv", ROWS, "text/csv", {})
    front.refused = {"GET"}
    task = run(bench, scope, connection, f"s3://{theirs.bucket}/rows.csv")
    assert (task.state, task.error_code) == (TaskState.FAILED, "bucket_refused")
    assert task.error_summary is not None
    assert "403 AccessDenied" in task.error_summary
    assert f"check the credentials of the connection {connection.id}" in task.error_summary


@pytest.mark.parametrize("theirs", ["rclone"], indirect=True)
def test_an_answer_that_is_cut_is_read_again_from_the_start(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs, front: Front
) -> None:
    connection = connect(theirs.body(endpoint_url=front.endpoint))
    theirs.store().put("rows.csv", ROWS, "text/csv", {})
    front.cut = {"GET"}
    task = run(bench, scope, connection, f"s3://{theirs.bucket}/rows.csv")
    assert (task.state, task.attempt, task.created_records) == (TaskState.PROCESSING, 1, 0)
    assert customers(bench) == {}


def test_an_import_through_a_connection_that_was_deleted_says_so(
    connect: Connect, bench: Workbench, scope: Scope, theirs: Theirs
) -> None:
    connection = connect(theirs.body())
    theirs.store().put("rows.csv", ROWS, "text/csv", {})
    with bench.sessions.begin() as session:
        delete_connection(session, scope.id, connection.id, "")
    task = run(bench, scope, connection, f"s3://{theirs.bucket}/rows.csv")
    assert (task.state, task.error_code) == (TaskState.FAILED, "not_found")
    assert str(task.error_summary).startswith(f"The connection {connection.id} was deleted")
