"""Upkeep of buckets: what nobody completes any more is removed, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import Attempt, ExportAttempt, Scope, Task
from service.exports.ranges import note_attempt
from service.exports.tidy import abort_old_uploads, tidy_exports
from service.ids import new_id
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import submit
from tests.fakes.storage import MemoryObjectStore

pytestmark = pytest.mark.parametrize("store_variables", ["rclone"], indirect=True, scope="session")


@pytest.fixture
def store() -> MemoryObjectStore:
    """A store in which uploads are begun now."""
    return MemoryObjectStore(datetime.now(UTC))


def test_uploads_of_ours_older_than_a_day_are_aborted(bench: Workbench, store: MemoryObjectStore) -> None:
    there = replace(bench, store=store)
    key = f"sources/{new_id('task')}/1"
    young = store.begin_multipart(key, "text/csv", {})
    store.now -= timedelta(days=1, minutes=1)
    others = store.begin_multipart("backup.tar", "application/x-tar", {})
    store.begin_multipart(key, "text/csv", {})
    assert abort_old_uploads(there) == 1
    assert {upload.upload_id for upload in store.list_multiparts("")} == {young, others}
    assert abort_old_uploads(there) == 0


def vanish(bench: Workbench, scope: Scope, max_part_rows: int | None = None) -> tuple[Task, str]:
    """The first attempt at an export, which was noted and is over now; how its keys begin."""
    options = {"max_part_rows": max_part_rows} if max_part_rows else None
    task = submit(bench, scope, NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, FileType.CSV, options=options))
    claimed = bench.callbacks.claim(TaskType.EXPORT, "gone:1", task.id)
    assert claimed is not None
    base = f"tenant_a/env_a/customers/customers-{task.id}-1"
    with bench.sessions.begin() as session:
        note_attempt(session, claimed, base)
    bench.callbacks.fail(claimed, "test", "It was stopped")
    return claimed, base


def noted(bench: Workbench) -> int:
    with bench.sessions() as session:
        return len(session.scalars(select(ExportAttempt)).all())


def test_all_files_of_an_attempt_that_is_over_are_deleted_and_no_others(
    bench: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    there = replace(bench, store=store)
    _, base = vanish(there, scope, max_part_rows=2)
    left = [f"{base}-0001.csv", f"{base}-0002.csv", f"{base}.manifest.json"]
    # The twelfth attempt's keys begin as the first's do.
    others = [f"{base}2-0001.csv", f"{base}2.csv"]
    for key in (*left, *others):
        store.put(key, b"x", "text/csv", {})
    store.begin_multipart(f"{base}-0003.csv", "text/csv", {})
    store.begin_multipart(f"{base}2-0002.csv", "text/csv", {})
    tidy_exports(there)
    assert [key for key in (*left, *others) if store.head(key)] == others
    assert [upload.key for upload in store.list_multiparts("")] == [f"{base}2-0002.csv"]
    assert noted(bench) == 1
    come_back(bench, hours=2)
    tidy_exports(there)
    assert noted(bench) == 0


def test_what_a_late_worker_writes_into_an_attempt_that_is_over_is_found_too(
    bench: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    there = replace(bench, store=store)
    _, base = vanish(there, scope)
    tidy_exports(there)
    store.put(f"{base}.csv", b"late", "text/csv", {})
    come_back(bench, hours=2)
    tidy_exports(there)
    assert (noted(bench), store.head(f"{base}.csv")) == (1, None)
    come_back(bench, hours=0)
    tidy_exports(there)
    assert noted(bench) == 0


def test_a_bucket_that_keeps_us_out_for_a_week_is_left_as_it_is(
    bench: Workbench, store: MemoryObjectStore, scope: Scope
) -> None:
    there = replace(bench, store=store)
    vanish(there, scope)
    store.failing = {"list_multiparts"}
    come_back(bench, hours=6 * 24)
    tidy_exports(there)
    assert noted(bench) == 1
    come_back(bench, hours=2 * 24)
    tidy_exports(there)
    assert noted(bench) == 0


def come_back(bench: Workbench, hours: int) -> None:
    """So much later, when all attempts are due to be looked at."""
    with bench.sessions.begin() as session:
        session.execute(update(Attempt).values(ended_at=Attempt.ended_at - timedelta(hours=hours)))
        session.execute(update(ExportAttempt).values(look_at=seconds_from_now(-1)))


def test_a_store_that_is_away_is_tidied_later(bench: Workbench, store: MemoryObjectStore, scope: Scope) -> None:
    there = replace(bench, store=store)
    _, base = vanish(there, scope)
    store.begin_multipart(f"{base}.csv", "text/csv", {})
    store.failing = {"list_multiparts"}
    tidy_exports(there)
    store.failing = set()
    tidy_exports(there)
    assert (noted(bench), len(list(store.list_multiparts("")))) == (1, 1)
    come_back(bench, hours=2)
    tidy_exports(there)
    come_back(bench, hours=0)
    tidy_exports(there)
    assert (noted(bench), len(list(store.list_multiparts("")))) == (0, 0)


def test_what_an_attempt_that_runs_has_written_stays(bench: Workbench, store: MemoryObjectStore, scope: Scope) -> None:
    there = replace(bench, store=store)
    task, base = vanish(there, scope)
    with bench.sessions.begin() as session:
        values = {"state": TaskState.PROCESSING, "lease_expires_at": seconds_from_now(60)}
        session.execute(update(Task).where(Task.id == task.id).values(**values))
    store.begin_multipart(f"{base}.csv", "text/csv", {})
    tidy_exports(there)
    assert (noted(bench), len(list(store.list_multiparts("")))) == (1, 1)
