"""Whose chunk is loaded next: nobody waits behind a huge file, and a huge file wakes whoever is idle."""

from itertools import groupby

import pytest
from sqlalchemy import select

from schemas.vocabulary import ChunkState, EntityType, TaskState, TaskType
from service.db.models import Chunk, Scope, Task
from service.imports.chunks import ClaimedChunk, claim_chunk
from service.imports.load import load_chunk
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.imports.fleet import fetch_only
from tests.integration.imports.lives import run_to_end, scope_of, submit_file, with_chunks


def rows(prefix: str, count: int) -> str:
    return "external_id,name\n" + "".join(f"{prefix}-{number},Name\n" for number in range(count))


@pytest.fixture
def small(bench: Workbench) -> Workbench:
    """A bench that cuts a chunk for each row."""
    return with_chunks(bench, 1)


def fetched(bench: Workbench, scope: Scope, prefix: str, count: int) -> Task:
    """An import whose chunks, one for each row, are planned."""
    task = submit_file(bench, scope, EntityType.CUSTOMERS, rows(prefix, count))
    fetch_only(bench, task)
    return task


def claim(bench: Workbench, worker: str = "host:1") -> ClaimedChunk:
    with bench.sessions.begin() as session:
        claimed = claim_chunk(session, worker, 60)
    assert claimed is not None
    return claimed


def load_with(bench: Workbench, workers: int, chunks: int) -> list[str]:
    """Load so many chunks, as many at a time as there are workers; gives whose they were, turn by turn."""
    turns: list[str] = []
    in_hand: list[ClaimedChunk] = []
    while len(turns) < chunks:
        in_hand.append(claim(bench))
        turns.append(in_hand[-1].task.id)
        if len(in_hand) == workers:
            load_chunk(bench, in_hand.pop(0))
    for claimed in in_hand:
        load_chunk(bench, claimed)
    return turns


def test_a_small_file_is_done_while_a_huge_one_that_came_first_is_loaded(small: Workbench, scope: Scope) -> None:
    huge = fetched(small, scope, "huge", 200)
    little = fetched(small, scope, "little", 3)
    turns = load_with(small, workers=2, chunks=7)
    assert turns.count(little.id) == 3
    with small.sessions() as session:
        states = session.scalars(select(Chunk.state).where(Chunk.task_id == little.id)).all()
    assert (set(states), reload(small, huge).state) == ({ChunkState.LOADED}, TaskState.PROCESSING)


def test_two_huge_files_of_one_tenant_share_the_workers(small: Workbench, scope: Scope) -> None:
    tasks = [fetched(small, scope, prefix, 50) for prefix in ("one", "two")]
    turns = load_with(small, workers=4, chunks=40)
    assert sorted(turns.count(task.id) for task in tasks) == [20, 20]


def test_a_tenant_with_many_files_gets_no_more_workers_than_one_with_one(small: Workbench, scope: Scope) -> None:
    for number in range(5):
        fetched(small, scope, f"many-{number}", 30)
    modest = fetched(small, scope_of(small, "modest"), "one", 30)
    turns = load_with(small, workers=2, chunks=30)
    assert turns.count(modest.id) == 15
    # No longer run of others' turns than of its own.
    assert max(len(list(run)) for _, run in groupby(turns, key=lambda task_id: task_id == modest.id)) <= 2


def test_workers_that_claim_at_the_same_moment_do_not_wait_for_each_other(small: Workbench, scope: Scope) -> None:
    fetched(small, scope, "c", 3)
    with small.sessions.begin() as first, small.sessions.begin() as second, small.sessions.begin() as third:
        # None has committed when the next asks: without SKIP LOCKED the second would wait for the first.
        claimed = [claim_chunk(session, f"host:{place}", 60) for place, session in enumerate((first, second, third))]
        numbers = [chunk.chunk.number for chunk in claimed if chunk is not None]
    assert numbers == [0, 1, 2]


def test_one_huge_file_wakes_idle_workers(small: Workbench, scope: Scope, dispatcher: RecordingDispatcher) -> None:
    little = fetched(small, scope, "little", 1)
    few = fetched(small, scope, "few", 4)
    huge = fetched(small, scope, "huge", 200)
    woken = [(task_id, task_type) for task_id, task_type in dispatcher.sent if task_id in {little.id, few.id, huge.id}]
    assert [woken.count((task.id, TaskType.IMPORT)) for task in (little, few, huge)] == [0, 3, 16]


def test_whoever_is_woken_loads_whatever_is_open(small: Workbench, scope: Scope) -> None:
    tasks = [fetched(small, scope, prefix, 5) for prefix in ("one", "two")]
    assert run_to_end(small, tasks[0]).state == TaskState.COMPLETED
    assert reload(small, tasks[1]).state == TaskState.COMPLETED
