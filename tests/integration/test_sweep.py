"""The sweep over chunks: what a lost worker left behind is opened, sent again, and given up after so many times."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from schemas.vocabulary import AttemptOutcome, ChunkState, EntityType, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import Attempt, Chunk, Customer, Scope, Task
from service.errors import StoreUnavailableError
from service.imports.chunks import ClaimedChunk, claim_chunk, reap_chunks
from service.imports.fetch import fetch_source
from service.imports.run import _settle_chunk, run_imports
from service.sweep import sweep
from service.tracking.lease import reap_tasks
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit_import
from tests.fakes.dispatch import RecordingDispatcher

CONTENT = "external_id,name\nc-1,One\nc-2,Two\nc-3,Three\n"


@pytest.fixture
def small(bench: Workbench) -> Workbench:
    """A bench that cuts a chunk for each row."""
    return replace(bench, settings=replace(bench.settings, chunk_bytes=1))


def fetched(bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher) -> Task:
    """An import whose chunks are planned, all of them open, and whose messages have gone out."""
    task = submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    claimed = bench.callbacks.claim(TaskType.IMPORT, bench.worker, task.id)
    assert claimed is not None
    with bench.keep_lease(claimed) as keeper:
        fetch_source(bench, claimed, keeper)
    dispatcher.sent.clear()
    return task


def claim(bench: Workbench) -> ClaimedChunk:
    with bench.sessions.begin() as session:
        claimed = claim_chunk(session, "lost:1", lease_seconds=60)
    assert claimed is not None
    return claimed


def expire_chunks(bench: Workbench) -> None:
    with bench.sessions.begin() as session:
        session.execute(
            update(Chunk).where(Chunk.state == ChunkState.LOADING).values(lease_expires_at=seconds_from_now(-1))
        )


def chunks(bench: Workbench) -> list[tuple[int, str, int, int, str | None]]:
    with bench.sessions() as session:
        listed = session.scalars(select(Chunk).order_by(Chunk.task_id, Chunk.number)).all()
    return [(chunk.number, chunk.state, chunk.attempt, chunk.failures, chunk.worker) for chunk in listed]


def test_an_expired_chunk_is_opened_and_its_task_is_sent_at_once(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(bench, scope, dispatcher)
    claim(bench)
    expire_chunks(bench)
    assert sweep(bench) is True
    assert chunks(bench) == [(0, ChunkState.OPEN, 1, 1, None)]
    assert dispatcher.sent == [(task.id, TaskType.IMPORT)]
    run_imports(bench, task.id)
    now = reload(bench, task)
    assert (now.state, now.created_records, now.attempt) == (TaskState.COMPLETED, 3, 1)


def test_a_chunk_with_a_live_lease_is_left_alone(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    fetched(bench, scope, dispatcher)
    claim(bench)
    assert sweep(bench) is True
    assert chunks(bench) == [(0, ChunkState.LOADING, 1, 0, "lost:1")]
    assert dispatcher.sent == []


def test_only_the_expired_ones_of_a_task_s_chunks_are_opened_and_it_is_sent_once(
    small: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(small, scope, dispatcher)
    claim(small)
    claim(small)
    expire_chunks(small)
    claim(small)
    sweep(small)
    assert chunks(small) == [
        (0, ChunkState.OPEN, 1, 1, None),
        (1, ChunkState.OPEN, 1, 1, None),
        (2, ChunkState.LOADING, 1, 0, "lost:1"),
    ]
    assert dispatcher.sent == [(task.id, TaskType.IMPORT)]


def test_a_chunk_that_was_lost_too_often_fails_its_task_and_names_its_rows(
    small: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(small, scope, dispatcher)
    for times in range(small.settings.max_attempts):
        assert (reload(small, task).state, times) == (TaskState.PROCESSING, times)
        assert claim(small).chunk.number == 0
        expire_chunks(small)
        sweep(small)
    now = reload(small, task)
    assert (now.state, now.error_code, now.error_summary) == (
        TaskState.FAILED,
        "worker_lost",
        "The worker stopped 5 times at rows 1 to 1; the worker's log has more, PROCESSING tries again",
    )
    with small.sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == [AttemptOutcome.FAILED]
        assert session.scalars(select(Customer)).all() == []


def test_a_chunk_of_many_rows_is_named_from_its_first_to_its_last(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(bench, scope, dispatcher)
    once = replace(bench, settings=replace(bench.settings, max_attempts=1))
    claim(once)
    expire_chunks(once)
    sweep(once)
    assert "stopped 1 times at rows 1 to 3;" in (reload(bench, task).error_summary or "")


def test_a_worker_whose_chunk_was_reaped_cannot_fail_the_task(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(bench, scope, dispatcher)
    frozen = claim(bench)
    expire_chunks(bench)
    sweep(bench)
    _settle_chunk(bench, frozen, ValueError("from the grave"))
    assert (reload(bench, task).state, reload(bench, task).error_code) == (TaskState.PROCESSING, None)
    run_imports(bench, task.id)
    assert (reload(bench, task).state, reload(bench, task).created_records) == (TaskState.COMPLETED, 3)


def test_a_worker_whose_chunk_was_reaped_cannot_hand_it_back(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    fetched(bench, scope, dispatcher)
    frozen = claim(bench)
    expire_chunks(bench)
    sweep(bench)
    claim(bench)
    _settle_chunk(bench, frozen, StoreUnavailableError())
    assert chunks(bench) == [(0, ChunkState.LOADING, 2, 1, "lost:1")]


def test_two_chunks_that_were_lost_too_often_at_once_fail_their_task_once(
    small: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(small, scope, dispatcher)
    once = replace(small, settings=replace(small.settings, max_attempts=1))
    claim(once)
    claim(once)
    expire_chunks(once)
    assert sweep(once) is True
    assert (reload(small, task).state, reload(small, task).error_code) == (TaskState.FAILED, "worker_lost")
    assert dispatcher.sent == []


def test_a_sweep_passes_by_what_another_one_holds(
    small: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    fetched(small, scope, dispatcher)
    waiting = submit_import(small, scope, EntityType.CUSTOMERS, CONTENT)
    assert small.callbacks.claim(TaskType.IMPORT, "lost:1", waiting.id) is not None
    claim(small)
    expire_chunks(small)
    with small.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == waiting.id).values(lease_expires_at=seconds_from_now(-1)))
    with small.sessions.begin() as first:
        assert [task.id for task in reap_tasks(first)] == [waiting.id]
        assert [chunk.number for chunk in reap_chunks(first)] == [0]
        assert sweep(small) is True
    assert dispatcher.sent == []
    assert chunks(small)[0] == (0, ChunkState.OPEN, 1, 1, None)


def test_two_sweeps_side_by_side_count_a_loss_once_and_send_a_task_once(
    small: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(small, scope, dispatcher)
    for _ in range(3):
        claim(small)
    expire_chunks(small)
    with ThreadPoolExecutor(2) as pool:
        assert [swept.result() for swept in [pool.submit(sweep, small) for _ in range(2)]] == [True, True]
    assert [(state, failures) for _, state, _, failures, _ in chunks(small)] == [(ChunkState.OPEN, 1)] * 3
    assert set(dispatcher.sent) == {(task.id, TaskType.IMPORT)}
    run_imports(small, task.id)
    assert (reload(small, task).state, reload(small, task).created_records) == (TaskState.COMPLETED, 3)


def test_a_sweep_with_nothing_due_sends_nothing(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    dispatcher.away = True
    assert sweep(bench) is True
    assert dispatcher.sent == []


def test_a_task_with_an_open_chunk_is_sent_again_after_a_while(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = fetched(bench, scope, dispatcher)
    sweep(bench)
    assert dispatcher.sent == []
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(dispatched_at=seconds_from_now(-bench.settings.resend_seconds - 1)))
    sweep(bench)
    assert dispatcher.sent == [(task.id, TaskType.IMPORT)]


def test_tidying_up_that_fails_keeps_no_work_from_being_sent(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, CONTENT)
    with bench.sessions.begin() as session:
        session.execute(text("ALTER TABLE task_counts RENAME TO gone"))
        session.execute(update(Task).values(dispatched_at=None))
    assert sweep(bench) is True
    assert dispatcher.sent == [(task.id, TaskType.IMPORT)]
