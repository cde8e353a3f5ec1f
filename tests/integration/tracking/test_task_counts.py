"""The kept counts of tasks equal what counting them gives, whatever happened to the tasks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

from schemas.vocabulary import EntityType, RowStatus, TaskState
from service.db.models import Scope, Task, TaskCount, TaskCountChange
from service.db.session import Sessions
from service.sweep import sweep
from service.tracking.task_counts import add_up_changes, count_tasks_by_day
from service.tracking.workbench import Workbench
from tests.factories.tasks import submit_export

FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def tasks(bench: Workbench, scope: Scope) -> list[Task]:
    """Four exports, the last two of events."""
    kinds = [EntityType.CUSTOMERS, EntityType.CUSTOMERS, EntityType.EVENTS, EntityType.EVENTS]
    return [submit_export(bench, scope, kind) for kind in kinds]


def total(sessions: Sessions, scope: Scope, **alike: str) -> int:
    with sessions() as session:
        return sum(count_tasks_by_day(session, scope.id, alike).values())


def add_up(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_up_changes(session)


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_counts_follow_every_change_of_a_task(sessions: Sessions, scope: Scope, tasks: list[Task], rounds: int) -> None:
    for _ in range(rounds):
        add_up(sessions)
    with sessions.begin() as session:
        session.execute(update(Task).where(Task.id == tasks[0].id).values(state=TaskState.PROCESSING))
        session.execute(update(Task).where(Task.id == tasks[1].id).values(status=RowStatus.DELETED))
        session.execute(update(Task).where(Task.id == tasks[2].id).values(bytes_done=7))
        session.execute(delete(Task).where(Task.id == tasks[3].id))
    for _ in range(rounds):
        add_up(sessions)
    assert total(sessions, scope) == 3
    assert total(sessions, scope, state=TaskState.PROCESSING) == 1
    assert total(sessions, scope, status=RowStatus.PUBLISHED) == 2
    assert total(sessions, scope, entity_type=EntityType.EVENTS, state=TaskState.PENDING) == 1
    assert total(sessions, scope, entity_type=EntityType.PRICES) == 0


def test_counts_follow_a_task_whatever_names_its_group(sessions: Sessions, scope: Scope, tasks: list[Task]) -> None:
    with sessions.begin() as session:
        session.execute(update(Task).values(scheduled_task_id="schtask_1", created_at=FIRST_DAY, created_by="user_b"))
    assert total(sessions, scope, scheduled_task_id="schtask_1", created_by="user_b") == len(tasks)
    assert total(sessions, scope, scheduled_task_id="") == 0
    with sessions() as session:
        assert count_tasks_by_day(session, scope.id, {}) == {FIRST_DAY.date(): len(tasks)}


def test_what_was_rolled_back_was_never_counted(bench: Workbench, scope: Scope, tasks: list[Task]) -> None:
    with bench.sessions() as session:
        session.execute(delete(Task))
        session.rollback()
    assert total(bench.sessions, scope) == len(tasks)


def test_another_scope_is_counted_apart(sessions: Sessions, scope: Scope, tasks: list[Task]) -> None:
    with sessions() as session:
        assert count_tasks_by_day(session, scope.id + 1, {}) == {}


def test_adding_up_leaves_no_change_and_no_empty_group(sessions: Sessions, scope: Scope, tasks: list[Task]) -> None:
    add_up(sessions)
    with sessions.begin() as session:
        session.execute(update(Task).values(state=TaskState.PROCESSING))
    add_up(sessions)
    add_up(sessions)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(TaskCountChange)) == 0
        states = session.execute(select(TaskCount.state, TaskCount.tasks).order_by(TaskCount.entity_type))
        assert states.all() == [("PROCESSING", 2), ("PROCESSING", 2)]


def test_the_sweep_adds_up_the_changes(bench: Workbench, scope: Scope, tasks: list[Task]) -> None:
    sweep(bench)
    with bench.sessions() as session:
        assert session.scalar(select(func.count()).select_from(TaskCountChange)) == 0
        assert session.scalar(select(func.sum(TaskCount.tasks))) == len(tasks)


def test_counts_are_exact_while_many_write_and_add_up(bench: Workbench, scope: Scope) -> None:
    def write(_number: int) -> None:
        task = submit_export(bench, scope, EntityType.CUSTOMERS)
        with bench.sessions.begin() as session:
            session.execute(update(Task).where(Task.id == task.id).values(state=TaskState.PROCESSING))

    with ThreadPoolExecutor(8) as threads:
        writes = [threads.submit(write, number) for number in range(40)]
        rounds = [threads.submit(add_up, bench.sessions) for _ in range(20)]
        for each in [*writes, *rounds]:
            each.result()
    assert total(bench.sessions, scope, state=TaskState.PROCESSING) == 40
    assert total(bench.sessions, scope, state=TaskState.PENDING) == 0
    assert total(bench.sessions, scope) == 40


def test_days_are_those_of_utc(sessions: Sessions, scope: Scope, tasks: list[Task]) -> None:
    with sessions.begin() as session:
        session.execute(text("SET LOCAL timezone = 'Asia/Tokyo'"))
        late = FIRST_DAY + timedelta(hours=23)
        copy = session.get_one(Task, tasks[0].id)
        values = {"task_type": copy.task_type, "entity_type": copy.entity_type, "file_type": copy.file_type}
        session.add(
            Task(id="late", scope_id=scope.id, workflow_id="w", run_id="r", final_attempt=1, created_at=late, **values)
        )
    with sessions() as session:
        assert next(iter(count_tasks_by_day(session, scope.id, {}).items())) == (FIRST_DAY.date(), 1)
