"""Exports that several workers write: one snapshot, every row once, and nothing left of what was lost."""

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import zstandard
from sqlalchemy import func, select, text, update

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.access import ensure_scope
from service.db.clock import seconds_from_now
from service.db.models import Attempt, ExportAttempt, ExportPart, ExportRange, ExportStream, Scope, Task
from service.errors import FencedError
from service.exports.helper import help_export
from service.exports.query import Blocks
from service.exports.ranges import (
    Stream,
    claim_range,
    give_up_lost_streams,
    join_export,
    let_others_join,
    note_attempt,
    number_part,
    plan_ranges,
)
from service.exports.run import run_export
from service.exports.shared import take_number
from service.exports.tidy import tidy_exports
from service.sweep import sweep
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit
from tests.fakes.dispatch import RecordingDispatcher
from tests.fakes.storage import MemoryObjectStore

ROWS = 4000


class Inviting(RecordingDispatcher):
    """When several workers are asked to help, something happens at once, before anybody goes on."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def dispatch(self, task_id: str, task_type: TaskType, copies: int = 1) -> bool:
        """See Dispatcher."""
        if copies > 1:
            self._happens()
        return super().dispatch(task_id, task_type, copies)


# What a real store must know is asked of both by the last test; the others fail and look inside.
pytestmark = pytest.mark.parametrize("store_variables", ["rclone"], indirect=True, scope="session")


@pytest.fixture
def store() -> MemoryObjectStore:
    """One store for all workers."""
    return MemoryObjectStore()


def fill(bench: Workbench, scope: Scope, rows: int) -> None:
    with bench.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                "SELECT :scope_id, 'c-' || number, 'cust_' || number, repeat(md5(number::text), 20), 0, number "
                "FROM generate_series(1, :rows) AS number"
            ),
            {"scope_id": scope.id, "rows": rows},
        )
        session.execute(text("ANALYZE customers"))


@pytest.fixture
def lead(bench: Workbench, store: MemoryObjectStore, scope: Scope) -> Workbench:
    """A worker that cuts small tables, too, over a table of some 3 MB."""
    fill(bench, scope, ROWS)
    settings = replace(bench.settings, range_bytes=100_000, part_bytes=150_000)
    return replace(bench, settings=settings, store=store, worker="lead:1")


@pytest.fixture
def helper(lead: Workbench) -> Workbench:
    """Another worker."""
    return replace(lead, worker="helper:1")


def helped(lead: Workbench, happens: Callable[[], object]) -> Workbench:
    return replace(lead, dispatcher=Inviting(happens))


def submit_export(bench: Workbench, scope: Scope, file_type: FileType = FileType.CSV, **options: Any) -> Task:
    return submit(bench, scope, NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, file_type, options=options or None))


def read_object(store: MemoryObjectStore, task: Task) -> bytes:
    return b"".join(store.stream(task.file_url.split("/", 3)[3], 2**20))


def inflate(content: bytes, compression: str) -> bytes:
    if compression == "gzip":
        return gzip.decompress(content)
    if compression == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read()
    return content


def read_rows(content: bytes, file_type: FileType) -> list[dict[str, Any]]:
    text = content.decode()
    match file_type:
        case FileType.CSV:
            return list(csv.DictReader(io.StringIO(text, newline="")))
        case FileType.JSON:
            return list(json.loads(text))
        case _:
            return [json.loads(line) for line in text.splitlines()]


def keys(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["external_id"] for row in rows)


ALL_KEYS = Counter(f"c-{number}" for number in range(1, ROWS + 1))


def finish(bench: Workbench, task: Task) -> Task:
    """Run an export that must complete."""
    assert run_export(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return done


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("file_type", [FileType.CSV, FileType.JSON, FileType.NDJSON])
def test_what_two_workers_write_is_one_file_with_every_row_once(
    lead: Workbench, helper: Workbench, store: MemoryObjectStore, scope: Scope, file_type: FileType, compression: str
) -> None:
    small = replace(lead, settings=replace(lead.settings, part_bytes=150_000 if compression == "none" else 40_000))
    joins = replace(helper, settings=small.settings)
    bench = helped(small, lambda: help_export(joins))
    done = finish(bench, submit_export(bench, scope, file_type, compression=compression))
    content = read_object(store, done)
    assert keys(read_rows(inflate(content, compression), file_type)) == ALL_KEYS
    manifest = done.object_manifest or {}
    assert (manifest["rows"], manifest["bytes"], manifest["sha256"]) == (ROWS, len(content), None)
    assert len(manifest["parts"]) > 1
    place = 0
    for part in manifest["parts"]:
        piece = content[place : place + part["bytes"]]
        assert hashlib.sha256(piece).hexdigest() == part["sha256"]
        place += part["bytes"]
    assert sum(part["rows"] for part in manifest["parts"]) == ROWS
    assert list(store.list_multiparts("")) == []


def test_one_worker_alone_proves_the_whole_object(lead: Workbench, store: MemoryObjectStore, scope: Scope) -> None:
    done = finish(lead, submit_export(lead, scope))
    content = read_object(store, done)
    assert keys(read_rows(content, FileType.CSV)) == ALL_KEYS
    assert (done.object_manifest or {})["sha256"] == hashlib.sha256(content).hexdigest()
    assert lead.dispatcher.sent == [(done.id, TaskType.EXPORT)] * 7  # type: ignore[attr-defined]  # the recording one


def test_all_workers_see_the_snapshot_though_rows_are_written_meanwhile(
    lead: Workbench, helper: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    def change_and_help() -> None:
        with lead.sessions.begin() as session:
            session.execute(text("DELETE FROM customers WHERE import_row % 3 = 0"))
            session.execute(text("UPDATE customers SET name = 'changed' WHERE import_row % 3 = 1"))
            session.execute(
                text(
                    "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                    "SELECT scope_id, 'new-' || external_id, 'new-' || id, 'new', 1, import_row FROM customers"
                )
            )
        assert help_export(helper)

    bench = helped(lead, change_and_help)
    done = finish(bench, submit_export(bench, scope))
    rows = read_rows(read_object(store, done), FileType.CSV)
    assert keys(rows) == ALL_KEYS
    assert {len(row["name"]) for row in rows} == {640}


def lose_a_stream(lead: Workbench, helper: Workbench, parts: int) -> None:
    """A helper takes ranges enough for some parts, sends those, and is never heard of again."""
    with helper.sessions.begin() as session:
        joined = join_export(session, helper.worker, lease_seconds=60)
        assert joined is not None
        assert all(claim_range(session, joined.stream) for _ in range(3 * parts))
    for _ in range(parts):
        helper.store.put_part(joined.object_key, joined.upload_id, take_number(helper, joined.stream), b"garbage")
    with lead.sessions.begin() as session:
        session.execute(
            update(ExportStream).where(ExportStream.number != 0).values(lease_expires_at=seconds_from_now(-1))
        )


def test_what_a_lost_helper_had_is_done_again_and_replaces_what_it_sent(
    lead: Workbench, helper: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    bench = helped(lead, lambda: lose_a_stream(lead, helper, parts=1))
    done = finish(bench, submit_export(bench, scope))
    content = read_object(store, done)
    assert b"garbage" not in content
    assert keys(read_rows(content, FileType.CSV)) == ALL_KEYS


@pytest.mark.parametrize("file_type", [FileType.CSV, FileType.JSON, FileType.NDJSON])
@pytest.mark.parametrize("parts", [1, 2])
def test_what_a_lost_helper_had_is_the_lead_s_though_another_helps(
    lead: Workbench, helper: Workbench, store: MemoryObjectStore, scope: Scope, file_type: FileType, parts: int
) -> None:
    def lose_one_and_help() -> None:
        lose_a_stream(lead, helper, parts=parts)
        with lead.sessions.begin() as session:
            give_up_lost_streams(session, Stream(task.id, 1))
        assert help_export(replace(helper, worker="helper:2"))

    bench = helped(lead, lose_one_and_help)
    task = submit_export(bench, scope, file_type)
    done = finish(bench, task)
    content = read_object(store, done)
    assert b"garbage" not in content
    assert keys(read_rows(content, file_type)) == ALL_KEYS


@pytest.mark.parametrize("file_type", [FileType.CSV, FileType.JSON, FileType.NDJSON])
def test_a_scope_without_rows_in_a_big_table_that_was_never_analysed_gives_an_empty_file(
    lead: Workbench, store: MemoryObjectStore, scope: Scope, file_type: FileType
) -> None:
    with lead.sessions.begin() as session:
        other = ensure_scope(session, "tenant_a", "env_b")
        session.execute(text("UPDATE customers SET scope_id = :other"), {"other": other.id})
        session.execute(text("UPDATE pg_class SET reltuples = -1 WHERE relname = 'customers'"))
    done = finish(lead, submit_export(lead, scope, file_type))
    assert (read_rows(read_object(store, done), file_type), done.total_records) == ([], 0)


def test_a_helper_that_was_given_up_can_do_nothing_more(lead: Workbench, helper: Workbench, scope: Scope) -> None:
    found: list[Any] = []

    def join() -> None:
        with helper.sessions.begin() as session:
            joined = join_export(session, helper.worker, lease_seconds=0)
            assert joined is not None
            assert claim_range(session, joined.stream)
            found.append(joined.stream)

    bench = helped(lead, join)
    finish(bench, submit_export(bench, scope))
    with lead.sessions.begin() as session, pytest.raises(FencedError):
        claim_range(session, found[0])
    with pytest.raises(FencedError):
        take_number(helper, found[0])


def test_a_helper_whose_store_fails_leaves_its_ranges_to_the_lead(
    lead: Workbench, helper: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    def fail_to_help() -> None:
        store.failing = {"put_part"}
        assert help_export(helper) is False
        store.failing = set()

    bench = helped(lead, fail_to_help)
    task = submit_export(bench, scope)
    run_export(bench, task.id)
    done = reload(bench, task)
    # The lead's own part may have been under way when the store failed: then the attempt is tried again.
    if done.state != TaskState.COMPLETED:
        make_due(lead, task)
        done = finish(lead, task)
    assert keys(read_rows(read_object(store, done), FileType.CSV)) == ALL_KEYS


def make_due(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(due_at=seconds_from_now(-1)))


def test_nobody_helps_while_another_export_waits(lead: Workbench, helper: Workbench, scope: Scope) -> None:
    helped_with: list[bool] = []

    def another_comes() -> None:
        submit_export(lead, scope)
        helped_with.append(help_export(helper))

    bench = helped(lead, another_comes)
    finish(bench, submit_export(bench, scope))
    assert helped_with == [False]


def test_rows_that_most_of_the_table_is_not_are_read_by_one(
    lead: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    done = finish(lead, submit_export(lead, scope, filters={"external_id": ["c-7", "c-9"]}))
    assert [row["external_id"] for row in read_rows(read_object(store, done), FileType.CSV)] == ["c-7", "c-9"]
    assert lead.dispatcher.sent == []  # type: ignore[attr-defined]  # the recording one


def begin_and_vanish(lead: Workbench, task: Task) -> None:
    """An attempt that has begun an upload, sent a part, and is never heard of again."""
    claimed = lead.callbacks.claim(TaskType.EXPORT, "gone:1", task.id)
    assert claimed is not None
    base = f"tenant_a/env_a/customers/customers-{task.id}-{claimed.attempt}"
    upload_id = lead.store.begin_multipart(f"{base}.csv", "text/csv", {})
    with lead.sessions.begin() as session:
        note_attempt(session, claimed, base)
        stream = plan_ranges(session, claimed, [Blocks(0, 10), Blocks(10, None)], "gone:1")
        let_others_join(session, stream, f"{base}.csv", upload_id, "00000003-0000001B-1")
        lead.store.put_part(f"{base}.csv", upload_id, number_part(session, stream), b"some")
        session.execute(update(Task).where(Task.id == task.id).values(lease_expires_at=seconds_from_now(-1)))


def left_in_sql(bench: Workbench) -> list[int]:
    with bench.sessions() as session:
        tables = (ExportAttempt, ExportStream, ExportRange, ExportPart)
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_the_attempt_after_a_lost_lead_completes_and_nothing_of_the_lost_one_is_left(
    lead: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    task = submit_export(lead, scope)
    begin_and_vanish(lead, task)
    store.put(f"tenant_a/env_a/customers/customers-{task.id}-1.csv", b"whole, but too late", "text/csv", {})
    assert len(list(store.list_multiparts(""))) == 1
    sweep(lead)
    tidy_exports(lead)
    assert list(store.list_multiparts("")) == []
    assert store.head(f"tenant_a/env_a/customers/customers-{task.id}-1.csv") is None
    done = finish(lead, task)
    assert (done.attempt, done.file_url[-6:]) == (2, "-2.csv")
    assert keys(read_rows(read_object(store, done), FileType.CSV)) == ALL_KEYS
    with lead.sessions.begin() as session:
        session.execute(update(Attempt).values(ended_at=Attempt.ended_at - timedelta(hours=2)))
        session.execute(update(ExportAttempt).values(look_at=seconds_from_now(-1)))
    tidy_exports(lead)
    assert left_in_sql(lead) == [0, 0, 0, 0]
    assert store.head(done.file_url.split("/", 3)[3]) is not None


def test_whoever_wants_to_help_a_lead_that_is_gone_leaves_it(lead: Workbench, helper: Workbench, scope: Scope) -> None:
    begin_and_vanish(lead, submit_export(lead, scope))
    assert help_export(helper) is False
    with lead.sessions.begin() as session:
        session.execute(update(Task).values(lease_expires_at=seconds_from_now(60)))
    # The lease is alive, its snapshot is not.
    assert help_export(helper) is False
    with lead.sessions() as session:
        assert session.scalars(select(ExportStream.number)).all() == [0]
