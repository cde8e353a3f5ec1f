"""Exports from claim to finish: what is stored becomes one object that an import reads back to the same rows."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text, update

from schemas.export_options import export_columns
from schemas.vocabulary import AttemptOutcome, EntityType, Phase, TaskState, TaskType
from service.access import ensure_scope
from service.db.clock import seconds_from_now
from service.db.models import Attempt, Scope, Task
from service.exports.run import run_export
from service.exports.snapshot import take_snapshot
from service.imports.run import run_imports
from service.sweep import sweep
from service.tracking.status import change_status
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit_export, submit_import
from tests.fakes.storage import MemoryObjectStore
from tests.fakes.triggers import TriggeredStore

Row = Mapping[str, str]

OWN_COLUMNS = {"id", "created_at", "updated_at", "ingested_at"}
CUSTOMER_COLUMNS = [
    "external_id", "name", "email", "address_line1", "address_line2", "address_city", "address_state",
    "address_postal_code", "address_country", "metadata", "id", "created_at", "updated_at",
]  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A finished export: its task and the bytes of its object."""

    task: Task
    content: bytes

    @cached_property
    def rows(self) -> list[Row]:
        """The object as another program reads it."""
        return list(csv.DictReader(io.StringIO(self.content.decode(), newline="")))

    def shared(self) -> list[Row]:
        """The rows without what belongs to one import alone, in an order of their own."""
        kept = [{name: cell for name, cell in row.items() if name not in OWN_COLUMNS} for row in self.rows]
        return sorted(kept, key=lambda row: sorted(row.items()))


def read_object(bench: Workbench, task: Task) -> bytes:
    key = task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/")
    return b"".join(bench.store.stream(key, 2**20))


def export(bench: Workbench, scope: Scope, entity: EntityType) -> Exported:
    task = submit_export(bench, scope, entity)
    assert run_export(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return Exported(done, read_object(bench, done))


def load(bench: Workbench, scope: Scope, entity: EntityType, content: str | bytes) -> Task:
    task = submit_import(bench, scope, entity, content)
    run_imports(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return done


def new_scope(bench: Workbench) -> Scope:
    with bench.sessions.begin() as session:
        return ensure_scope(session, f"tenant_{uuid4().hex}", "env")


def to_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as another program writes them, every cell quoted."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("entity", EntityType)
def test_a_scope_without_rows_gives_a_header_alone(bench: Workbench, scope: Scope, entity: EntityType) -> None:
    load(bench, new_scope(bench), EntityType.CUSTOMERS, "external_id,name\nc-1,Theirs\n")
    exported = export(bench, scope, entity)
    assert exported.content.decode() == ",".join(export_columns(entity)) + "\n"
    assert (exported.task.total_records, exported.task.object_manifest or {}) == (
        0,
        (exported.task.object_manifest or {}) | {"rows": 0, "bytes": len(exported.content)},
    )


def test_the_manifest_proves_what_is_in_the_object(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, 'external_id,name\nc-1,"One\nand more"\nc-2,Two\n')
    exported = export(bench, scope, EntityType.CUSTOMERS)
    task = exported.task
    manifest = dict(task.object_manifest or {})
    key = f"tenant_a/env_a/customers/customers-{task.id}-1.csv"
    assert json.loads(b"".join(bench.store.stream(f"{key}.manifest.json", 2**20))) == manifest
    taken_at = datetime.fromisoformat(manifest.pop("snapshot_at"))
    complete_until = datetime.fromisoformat(manifest.pop("complete_until"))
    proof = {
        "rows": 2,
        "bytes": len(exported.content),
        "sha256": hashlib.sha256(exported.content).hexdigest(),
    }
    assert manifest == {
        **proof,
        "task": task.id,
        "parts": [{"key": key, **proof}],
        "columns": CUSTOMER_COLUMNS,
        "format": "CSV",
        "compression": "none",
        "spreadsheet_safe": False,
        "filters": {},
        "start_time": None,
        "end_time": None,
    }
    assert exported.content.partition(b"\n")[0].decode().split(",") == CUSTOMER_COLUMNS
    assert task.started_at is not None
    assert task.completed_at is not None
    assert task.started_at <= complete_until <= taken_at <= task.completed_at
    assert task.file_url == f"s3://{bench.settings.s3_bucket}/{key}"
    assert (task.phase, task.lease_expires_at, task.total_records, task.created_records) == (None, None, 2, 2)


def test_what_a_running_transaction_writes_is_beyond_the_moment_until_which_all_is_there(
    bench: Workbench, scope: Scope
) -> None:
    with bench.sessions() as session:
        columns = "scope_id, external_id, id, name, import_id, import_row"
        session.execute(text(f"INSERT INTO customers ({columns}) VALUES (1, 'c', 'c', 'C', 0, 1)"))
        began_at = session.scalars(text("SELECT created_at FROM customers")).one()
        with take_snapshot(bench.sessions) as snapshot:
            assert snapshot.complete_until == began_at
            assert snapshot.session.scalar(text("SELECT count(*) FROM customers")) == 0
        session.rollback()
    with take_snapshot(bench.sessions) as snapshot:
        assert began_at < snapshot.complete_until <= snapshot.taken_at


def test_the_object_says_which_attempt_at_which_task_made_it(bench: Workbench, scope: Scope) -> None:
    task = export(bench, scope, EntityType.EVENTS).task
    head = bench.store.head(task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/"))
    assert head is not None
    assert (head.content_type, dict(head.metadata)) == (
        "text/csv; charset=utf-8",
        {"task": task.id, "attempt": "1"},
    )


def test_rows_that_are_written_while_an_export_runs_are_not_in_its_file(bench: Workbench, scope: Scope) -> None:
    fill(bench, scope, rows=10_000, width=1000)

    def change_rows() -> None:
        with bench.sessions.begin() as session:
            session.execute(text("UPDATE customers SET name = 'changed' WHERE import_row > 5"))
            session.execute(text("DELETE FROM customers WHERE import_row > 9"))
        fill(bench, scope, rows=3, width=1, first=20_001)

    small = replace(bench, settings=replace(bench.settings, part_bytes=100_000), store=TriggeredStore(change_rows))
    found = export(small, scope, EntityType.CUSTOMERS)
    names = {row["external_id"]: len(row["name"]) for row in found.rows}
    assert names == dict.fromkeys(map(str, range(1, 10_001)), 1000)


def test_a_snapshot_is_read_only(bench: Workbench) -> None:
    with pytest.raises(Exception, match="read-only transaction"), take_snapshot(bench.sessions) as snapshot:
        snapshot.session.execute(text("DELETE FROM customers"))


def expire(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(lease_expires_at=seconds_from_now(-1)))


def make_due(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(due_at=seconds_from_now(-1)))


def outcomes(bench: Workbench, task: Task) -> list[str | None]:
    with bench.sessions() as session:
        wanted = select(Attempt.outcome).where(Attempt.task_id == task.id).order_by(Attempt.number)
        return list(session.scalars(wanted))


def test_a_fenced_export_changes_nothing(bench: Workbench, scope: Scope) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)

    def lose_the_lease() -> None:
        expire(bench, task)
        sweep(bench)
        assert bench.callbacks.claim(TaskType.EXPORT, "other:1", task.id) is not None

    assert run_export(replace(bench, store=TriggeredStore(lose_the_lease)), task.id)
    now = reload(bench, task)
    assert (now.state, now.phase, now.attempt, now.worker) == (TaskState.PROCESSING, Phase.READING, 2, "other:1")
    assert (now.file_url, now.object_manifest, now.total_records, now.completed_at) == ("", None, None, None)
    assert outcomes(bench, task) == [AttemptOutcome.LOST, None]


def test_an_export_whose_lease_was_reaped_does_not_complete_though_nobody_has_taken_it(
    bench: Workbench, scope: Scope
) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)

    def lose_the_lease() -> None:
        expire(bench, task)
        sweep(bench)

    assert run_export(replace(bench, store=TriggeredStore(lose_the_lease)), task.id)
    now = reload(bench, task)
    assert (now.state, now.attempt, now.file_url) == (TaskState.PROCESSING, 1, "")


def test_an_export_that_a_caller_stopped_stays_failed_though_its_object_was_written(
    bench: Workbench, scope: Scope
) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    assert run_export(replace(bench, store=TriggeredStore(lambda: stop(bench, scope, task))), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, now.file_url, now.object_manifest) == (TaskState.FAILED, "stopped", "", None)
    assert outcomes(bench, task) == [AttemptOutcome.FAILED]


def stop(bench: Workbench, scope: Scope, task: Task) -> None:
    with bench.sessions.begin() as session:
        change_status(session, scope.id, task.id, TaskState.FAILED, "user_test", max_attempts=5)


def test_an_export_that_a_caller_stopped_ends_quietly_when_the_store_fails_too(bench: Workbench, scope: Scope) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    store = TriggeredStore(lambda: stop(bench, scope, task))
    store.failing = {"put"}
    assert run_export(replace(bench, store=store), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "stopped")


def test_an_export_waits_for_a_store_that_is_away_and_then_completes(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    store = MemoryObjectStore()
    there = replace(bench, store=store)
    task = submit_export(there, scope, EntityType.CUSTOMERS)
    store.failing = {"put"}
    assert run_export(there, task.id)
    waiting = reload(there, task)
    assert (waiting.state, waiting.lease_expires_at, waiting.worker) == (TaskState.PROCESSING, None, None)
    assert (waiting.file_url, waiting.error_summary, waiting.dispatched_at) == ("", None, None)
    assert run_export(there, task.id) is False
    store.failing = set()
    make_due(there, task)
    assert run_export(there, task.id)
    done = reload(there, task)
    assert (done.state, done.attempt) == (TaskState.COMPLETED, 2)
    assert done.file_url.endswith(f"/customers-{task.id}-2.csv")
    assert [row["external_id"] for row in Exported(done, read_object(there, done)).rows] == ["c-1"]
    assert outcomes(bench, task) == [AttemptOutcome.RETRYING, AttemptOutcome.SUCCEEDED]


def test_an_export_gives_up_a_store_that_stays_away(bench: Workbench, scope: Scope) -> None:
    store = MemoryObjectStore()
    store.failing = {"put"}
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    for _ in range(bench.settings.max_attempts):
        make_due(bench, task)
        assert run_export(replace(bench, store=store), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, now.file_url) == (TaskState.FAILED, "store_unavailable", "")
    assert (now.error_summary or "").endswith("(given up after 5 attempts)")
    assert outcomes(bench, task) == [*[AttemptOutcome.RETRYING] * 4, AttemptOutcome.FAILED]


@pytest.mark.parametrize("failing", ["put_part", "complete_multipart"])
def test_no_upload_stays_open_after_a_failure(bench: Workbench, scope: Scope, failing: str) -> None:
    fill(bench, scope, rows=50, width=100)
    store = MemoryObjectStore()
    store.failing = {failing}
    small = replace(bench, store=store, settings=replace(bench.settings, part_bytes=1000))
    task = submit_export(small, scope, EntityType.CUSTOMERS)
    assert run_export(small, task.id)
    assert "begin_multipart" in store.calls
    assert list(store.list_multiparts("")) == []
    assert (reload(small, task).state, reload(small, task).file_url) == (TaskState.PROCESSING, "")
    store.failing = set()
    make_due(small, task)
    assert run_export(small, task.id)
    done = reload(small, task)
    content = read_object(small, done)
    assert (done.object_manifest or {})["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(Exported(done, content).rows) == 50
    assert list(store.list_multiparts("")) == []


def fill(bench: Workbench, scope: Scope, rows: int, width: int, first: int = 1) -> None:
    """Customers of a test's own making, with names as long as it needs."""
    with bench.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                "SELECT :scope_id, number, 'cust_' || number, repeat('x', :width), 0, number "
                "FROM generate_series(CAST(:first AS int), :last) AS number"
            ),
            {"scope_id": scope.id, "first": first, "last": first + rows - 1, "width": width},
        )


@pytest.mark.parametrize("ended_by", ["pg_terminate_backend", "pg_cancel_backend"])
def test_an_export_whose_reading_the_database_ends_is_tried_again(
    bench: Workbench, scope: Scope, database_url: str, ended_by: str
) -> None:
    fill(bench, scope, rows=30_000, width=1000)
    store = TriggeredStore(lambda: end_others(database_url, ended_by))
    cut = replace(bench, store=store, settings=replace(bench.settings, part_bytes=100_000))
    task = submit_export(cut, scope, EntityType.CUSTOMERS)
    assert run_export(cut, task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, outcomes(bench, task)) == (
        TaskState.PROCESSING,
        None,
        [AttemptOutcome.RETRYING],
    )
    assert list(store.list_multiparts("")) == []


def end_others(database_url: str, ended_by: str) -> None:
    """End what all others do in the database: their connections, as a restart does, or only their statements."""
    ended = f"SELECT {ended_by}(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    with psycopg.connect(database_url) as connection:
        connection.execute(ended.encode(), [connection.info.backend_pid])


def test_a_message_for_an_export_that_is_done_is_nothing_to_do(bench: Workbench, scope: Scope) -> None:
    task = export(bench, scope, EntityType.CUSTOMERS).task
    assert run_export(bench, task.id) is False
    assert reload(bench, task).updated_at == task.updated_at
