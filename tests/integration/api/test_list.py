"""GET /v1/tasks: every page and total equals what sorting and filtering all tasks in memory gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from service.db.models import Task
from service.db.session import Sessions
from service.tracking.task_counts import add_up_changes
from service.tracking.workbench import Workbench
from tests.integration.api.conftest import Caller

FIRST = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
STATES = ("COMPLETED", "COMPLETED", "FAILED", "PENDING")


@pytest.fixture
def tasks(caller: Caller, bench: Workbench) -> list[dict[str, Any]]:
    """Sixty tasks over ten days, some of them created at the same moment; half of the changes are added up."""
    task_id = caller.call("POST", "/v1/tasks", {"task_type": "EXPORT", "entity_type": "PRICES", "file_type": "CSV"})
    with bench.sessions.begin() as session:
        scope_id = session.get_one(Task, task_id.get_json()["id"]).scope_id
        session.delete(session.get_one(Task, task_id.get_json()["id"]))
    rows = [
        {
            "id": f"task_{number:03}",
            "scope_id": scope_id,
            "task_type": "IMPORT",
            "entity_type": ("EVENTS", "CUSTOMERS")[number % 2],
            "file_type": "CSV",
            "state": STATES[number % 4],
            "error_summary": "why",
            "workflow_id": f"wf_{number}",
            "run_id": "run",
            "final_attempt": 5,
            "created_by": ("user_1", "user_2", "user_3")[number % 3],
            "created_at": FIRST + timedelta(hours=8 * (number // 2)),
        }
        for number in range(60)
    ]
    for half in (rows[:30], rows[30:]):
        with bench.sessions.begin() as session:
            add_up_changes(session)
            session.execute(insert(Task), half)
    return rows


@contextmanager
def counted_statements(sessions: Sessions) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    engine = sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "window", [(None, None), (FIRST + timedelta(hours=9), FIRST + timedelta(hours=152)), (None, FIRST)]
)
@pytest.mark.parametrize("filters", [{}, {"task_status": "FAILED"}, {"entity_type": "EVENTS", "created_by": "user_2"}])
def test_pages_are_those_of_the_sorted_tasks(
    caller: Caller,
    tasks: list[dict[str, Any]],
    order: str,
    window: tuple[datetime | None, datetime | None],
    filters: dict[str, str],
) -> None:
    first, last = window
    columns = {"task_status": "state"}
    wanted = [
        (task["created_at"], task["id"])
        for task in tasks
        if all(task[columns.get(name, name)] == value for name, value in filters.items())
        and (first is None or task["created_at"] >= first)
        and (last is None or task["created_at"] <= last)
    ]
    wanted.sort(reverse=order == "desc")
    query: dict[str, Any] = {**filters, "order": order, "limit": 7}
    query |= {"start_time": first.isoformat()} if first else {}
    query |= {"end_time": last.isoformat()} if last else {}
    for offset in range(0, len(wanted) + 7, 7):
        page = caller.call("GET", "/v1/tasks", query_string={**query, "offset": offset}).get_json()
        assert page["pagination"] == {"total": len(wanted), "limit": 7, "offset": offset}
        assert [task["id"] for task in page["items"]] == [task_id for _, task_id in wanted[offset : offset + 7]]


def test_other_columns_sort_with_the_id_as_tie_breaker(caller: Caller, tasks: list[dict[str, Any]]) -> None:
    wanted = [task["id"] for task in sorted(tasks, key=lambda task: (task["state"], task["id"]))]
    pages = [
        caller.call("GET", f"/v1/tasks?sort=task_status&order=asc&limit=25&offset={offset}").get_json()
        for offset in (0, 25, 50)
    ]
    assert [task["id"] for page in pages for task in page["items"]] == wanted
    assert {page["pagination"]["total"] for page in pages} == {60}


def test_empty_filters_are_no_filters(caller: Caller, tasks: list[dict[str, Any]]) -> None:
    query = "status=&task_type=&entity_type=&task_status=&scheduled_task_id=&created_by="
    assert caller.call("GET", f"/v1/tasks?{query}").get_json()["pagination"]["total"] == 60


@pytest.mark.parametrize(
    ("asked", "effective"),
    [("0", 50), ("-1", 50), ("1000", 1000), ("5000", 1000), ("7", 7)],
)
def test_limit_is_told_as_it_took_effect(
    caller: Caller, tasks: list[dict[str, Any]], asked: str, effective: int
) -> None:
    page = caller.call("GET", f"/v1/tasks?limit={asked}&offset=-3").get_json()
    assert page["pagination"] == {"total": 60, "limit": effective, "offset": -3}
    assert len(page["items"]) == min(60, effective)


@pytest.mark.parametrize(
    "times", ["start_time=0001-01-01T00:00:00%2B14:00", "end_time=9999-12-31T23:59:59.9999999-11:00"]
)
def test_times_at_the_ends_of_the_calendar_are_no_limits(
    caller: Caller, tasks: list[dict[str, Any]], times: str
) -> None:
    assert caller.call("GET", f"/v1/tasks?{times}").get_json()["pagination"]["total"] == 60


def test_page_and_total_are_of_one_snapshot(caller: Caller, bench: Workbench, tasks: list[dict[str, Any]]) -> None:
    added: list[str] = []

    def add_one(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "task_count_changes" in statement and not added:
            added.append(statement)
            late = {**tasks[0], "id": "task_late", "workflow_id": "wf_late", "created_at": datetime.now(UTC)}
            with bench.sessions.begin() as session:
                session.execute(insert(Task), [late])

    event.listen(bench.sessions.kw["bind"], "after_cursor_execute", add_one)
    page = caller.call("GET", "/v1/tasks?limit=100&sort=id").get_json()
    assert (page["pagination"]["total"], len(page["items"])) == (60, 60)
    event.remove(bench.sessions.kw["bind"], "after_cursor_execute", add_one)
    assert caller.call("GET", "/v1/tasks").get_json()["pagination"]["total"] == 61


def test_a_list_takes_few_statements_however_long_it_is(
    caller: Caller, bench: Workbench, tasks: list[dict[str, Any]]
) -> None:
    counts = []
    # The first use of a key in a minute is noted.
    caller.call("GET", "/v1/tasks")
    for limit in (1, 60):
        with counted_statements(bench.sessions) as sent:
            assert len(caller.call("GET", f"/v1/tasks?limit={limit}").get_json()["items"]) == limit
        counts.append(len(sent))
    # The key, the counts, the page.
    assert counts == [3, 3]
