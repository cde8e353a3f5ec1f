"""Claims, leases, fences, reaping and resending, on a real database."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.vocabulary import AttemptOutcome, ChunkState, EntityType, Phase, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import Attempt, Chunk, Scope, Task
from service.errors import FencedError
from service.imports.chunks import claim_chunk
from service.sweep import sweep
from service.tracking.counters import Counters
from service.tracking.lease import claim_task, reap_tasks, renew_lease, take_undelivered
from service.tracking.lifecycle import ImportResult
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit_export, submit_import
from tests.fakes.dispatch import RecordingDispatcher

LEASE_SECONDS = 15


@pytest.fixture
def task(bench: Workbench, scope: Scope) -> Task:
    return submit_export(bench, scope, EntityType.CUSTOMERS)


def claim(session: Session, task_id: str | None = None) -> Task | None:
    return claim_task(session, TaskType.EXPORT, "host:1", LEASE_SECONDS, task_id)


def expire(session: Session, task: Task) -> None:
    session.execute(update(Task).where(Task.id == task.id).values(lease_expires_at=seconds_from_now(-1)))


def test_claim_begins_the_first_attempt(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claimed = claim(session, task.id)
    assert claimed is not None
    assert (claimed.state, claimed.phase, claimed.attempt) == (TaskState.PROCESSING, Phase.READING, 1)
    assert claimed.started_at is not None
    assert claimed.lease_expires_at is not None


def test_claim_refuses_a_task_with_a_live_lease(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claim(session, task.id)
    with bench.sessions.begin() as session:
        assert claim(session, task.id) is None


def test_claim_passes_by_a_task_that_another_transaction_holds(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as first, bench.sessions.begin() as second:
        assert claim(first, task.id) is not None
        assert claim(second, task.id) is None


def test_claim_without_a_name_takes_the_task_that_is_due_for_longest(
    bench: Workbench, scope: Scope, task: Task
) -> None:
    submit_export(bench, scope, EntityType.EVENTS)
    with bench.sessions.begin() as session:
        claimed = claim(session)
    assert claimed is not None
    assert claimed.id == task.id


def test_claim_waits_until_a_task_is_due(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(due_at=seconds_from_now(60)))
        assert claim(session, task.id) is None


def test_renewal_moves_the_end_of_the_lease_and_tells_the_bytes(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claimed = claim(session, task.id)
        expire(session, task)
        renew_lease(session, task.id, 1, LEASE_SECONDS, bytes_done=7)
    now = reload(bench, task)
    assert claimed is not None
    assert now.lease_expires_at is not None
    assert now.bytes_done == 7
    with bench.sessions.begin() as session:
        assert reap_tasks(session) == []


def test_reaped_attempt_is_fenced_and_the_next_one_is_numbered_two(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claim(session, task.id)
        expire(session, task)
    with bench.sessions.begin() as session:
        assert [reaped.id for reaped in reap_tasks(session)] == [task.id]
    with bench.sessions.begin() as session:
        again = claim(session, task.id)
    assert again is not None
    assert again.attempt == 2
    with bench.sessions.begin() as session, pytest.raises(FencedError):
        renew_lease(session, task.id, 1, LEASE_SECONDS, bytes_done=0)
    with bench.sessions() as session:
        attempts = session.execute(select(Attempt.number, Attempt.outcome).order_by(Attempt.number)).all()
    assert [tuple(attempt) for attempt in attempts] == [(1, AttemptOutcome.LOST), (2, None)]


def test_reaped_attempt_cannot_finish(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claimed = claim(session, task.id)
        expire(session, task)
        reap_tasks(session)
    assert claimed is not None
    with bench.sessions.begin() as session:
        claim(session, task.id)
    with pytest.raises(FencedError):
        bench.callbacks.fail(claimed, "too_late", "from the grave")
    assert reload(bench, task).state == TaskState.PROCESSING


def test_an_import_with_chunks_that_are_not_loaded_cannot_be_finished(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    with bench.sessions.begin() as session:
        session.execute(
            update(Task).where(Task.id == task.id).values(state=TaskState.PROCESSING, phase=Phase.FINISHING, attempt=1)
        )
        session.add(open_chunk(task, 0))
    with pytest.raises(FencedError):
        bench.callbacks.imported(reload(bench, task), ImportResult(Counters()))
    assert reload(bench, task).state == TaskState.PROCESSING


def test_an_import_with_open_chunks_is_not_due_as_a_whole(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    with bench.sessions.begin() as session:
        session.execute(
            update(Task).where(Task.id == task.id).values(state=TaskState.PROCESSING, phase=Phase.LOADING, attempt=1)
        )
        session.add(open_chunk(task, 0))
    assert bench.callbacks.claim(TaskType.IMPORT, "host:1", task.id) is None
    with bench.sessions.begin() as session:
        session.execute(update(Chunk).values(state=ChunkState.LOADED))
    claimed = bench.callbacks.claim(TaskType.IMPORT, "host:1", task.id)
    assert claimed is not None
    assert (claimed.phase, claimed.attempt) == (Phase.FINISHING, 1)


def open_chunk(task: Task, number: int) -> Chunk:
    return Chunk(
        task_id=task.id, number=number, byte_start=number, byte_end=number + 1,
        first_row=number + 1, row_count=1, first_line=number + 2, checksum=b"",
    )  # fmt: skip


def loading_task(bench: Workbench, scope: Scope, entity: EntityType, chunks: int) -> Task:
    task = submit_import(bench, scope, entity, "")
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(state=TaskState.PROCESSING, phase=Phase.LOADING))
        session.add_all(open_chunk(task, number) for number in range(chunks))
    return task


def claim_chunks(bench: Workbench, times: int) -> list[tuple[str, int] | None]:
    taken: list[tuple[str, int] | None] = []
    for _ in range(times):
        with bench.sessions.begin() as session:
            claimed = claim_chunk(session, "host:1", LEASE_SECONDS)
            taken.append((claimed.task.id, claimed.chunk.number) if claimed else None)
    return taken


def test_a_small_file_has_its_turn_beside_a_large_one(bench: Workbench, scope: Scope) -> None:
    large = loading_task(bench, scope, EntityType.CUSTOMERS, 4)
    small = loading_task(bench, scope, EntityType.EVENTS, 1)
    assert claim_chunks(bench, 4) == [(large.id, 0), (small.id, 0), (large.id, 1), (large.id, 2)]


def test_chunks_of_prices_are_loaded_one_at_a_time_in_file_order(bench: Workbench, scope: Scope) -> None:
    task = loading_task(bench, scope, EntityType.PRICES, 2)
    assert claim_chunks(bench, 2) == [(task.id, 0), None]
    with bench.sessions.begin() as session:
        session.execute(update(Chunk).where(Chunk.number == 0).values(state=ChunkState.LOADED))
    assert claim_chunks(bench, 2) == [(task.id, 1), None]


def test_sweep_gives_up_a_task_whose_worker_was_lost_too_often(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        claim(session, task.id)
        session.execute(update(Task).values(attempt=bench.settings.max_attempts))
        expire(session, task)
    sweep(bench)
    now = reload(bench, task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "worker_lost")
    assert "stopped 5 times in phase READING" in (now.error_summary or "")


def test_undelivered_tasks_are_taken_once_each_period(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        assert take_undelivered(session, resend_seconds=10) == []
        session.execute(update(Task).values(dispatched_at=seconds_from_now(-11)))
    with bench.sessions.begin() as session:
        assert [due.id for due in take_undelivered(session, resend_seconds=10)] == [task.id]
    with bench.sessions.begin() as session:
        assert take_undelivered(session, resend_seconds=10) == []


@pytest.mark.parametrize(
    ("due", "dispatched", "sent"),
    [(-100, -60, True), (-100, -30, False), (-10_000, -200, False), (-10_000, -301, True), (-5, -4, False)],
)
def test_the_time_between_two_messages_doubles_up_to_five_minutes(
    bench: Workbench, task: Task, due: int, dispatched: int, *, sent: bool
) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(due_at=seconds_from_now(due), dispatched_at=seconds_from_now(dispatched)))
    with bench.sessions.begin() as session:
        assert bool(take_undelivered(session, resend_seconds=10)) is sent


def test_two_senders_side_by_side_send_a_task_once(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(dispatched_at=None))
    with bench.sessions.begin() as first, bench.sessions.begin() as second:
        assert len(take_undelivered(first, resend_seconds=10)) == 1
        assert take_undelivered(second, resend_seconds=10) == []


def test_sweep_dispatches_what_a_dead_broker_did_not_take(
    bench: Workbench, task: Task, dispatcher: RecordingDispatcher
) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(dispatched_at=None))
    dispatcher.away = True
    assert sweep(bench) is False
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(dispatched_at=None))
    dispatcher.away = False
    assert sweep(bench) is True
    assert dispatcher.sent == [(task.id, TaskType.EXPORT)]
