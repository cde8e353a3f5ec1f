"""ListTasks through every SDK, on a tenant with 250 tasks."""

from datetime import timedelta
from typing import Any

import pytest

from tests.acceptance.sdk.clients import Sdk
from tests.acceptance.sdk.crowd import CROWD, HIDDEN, SIZE

pytestmark = pytest.mark.xdist_group("stack")

NEWEST_FIRST = CROWD[::-1]


def list_ids(sdk: Sdk, **query: Any) -> list[str]:
    page = sdk.call("list_tasks", limit=1000, **query)
    assert page["pagination"] == {"total": len(page["items"]), "limit": 1000, "offset": 0}
    return ids(page["items"])


def ids(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["id"] for task in tasks]


def test_a_list_without_a_filter_is_the_newest_fifty(crowd_sdk: Sdk) -> None:
    page = crowd_sdk.call("list_tasks")
    assert ids(page["items"]) == ids(NEWEST_FIRST)[:50]
    assert page["pagination"] == {"total": SIZE, "limit": 50, "offset": 0}


def test_pages_hold_every_task_once_with_all_its_values(crowd_sdk: Sdk) -> None:
    pages = [crowd_sdk.call("list_tasks", limit=100, offset=offset) for offset in (0, 100, 200, 300)]
    assert [crowd_sdk.release.read_task(task) for page in pages for task in page["items"]] == NEWEST_FIRST
    assert [page["pagination"] for page in pages] == [
        {"total": SIZE, "limit": 100, "offset": offset} for offset in (0, 100, 200, 300)
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        {"task_type": "IMPORT"},
        {"entity_type": "FEATURES"},
        {"task_status": "PENDING"},
        {"task_status": "PROCESSING"},
        {"task_status": "COMPLETED"},
        {"task_status": "FAILED"},
        {"created_by": "user_1"},
        {"created_by": "user_unknown"},
        {"scheduled_task_id": "schtask_unknown"},
        {"status": "published", "task_type": "EXPORT"},
        {"task_type": "EXPORT", "entity_type": "EVENTS", "task_status": "COMPLETED", "created_by": "user_0"},
    ],
    ids=lambda wanted: "-".join(wanted.values()),
)
def test_a_filter_finds_the_tasks_that_have_its_values(crowd_sdk: Sdk, wanted: dict[str, str]) -> None:
    matches = [task for task in NEWEST_FIRST if all(task[name] == value for name, value in wanted.items())]
    assert list_ids(crowd_sdk, **wanted) == ids(matches)


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda hidden: hidden["status"])
def test_rows_that_are_not_published_are_found_by_their_status(crowd_sdk: Sdk, hidden: dict[str, Any]) -> None:
    assert list_ids(crowd_sdk, status=hidden["status"]) == [hidden["id"]]


def test_both_ends_of_a_span_belong_to_it(crowd_sdk: Sdk) -> None:
    first, last = CROWD[30]["created_at"], CROWD[100]["created_at"]
    span = {"start_time": first.isoformat().replace("+00:00", "Z"), "end_time": last.isoformat()}
    assert list_ids(crowd_sdk, **span) == ids(CROWD[30:101][::-1])
    assert list_ids(crowd_sdk, start_time=span["end_time"], task_type="EXPORT") == ids(CROWD[101::2][::-1])
    assert list_ids(crowd_sdk, end_time=(CROWD[0]["created_at"] - timedelta(microseconds=1)).isoformat()) == []


@pytest.mark.parametrize(("order", "step"), [("asc", 1), ("desc", -1)])
def test_tasks_are_sorted_by_the_column_that_is_wanted(crowd_sdk: Sdk, order: str, step: int) -> None:
    by_name = sorted(CROWD, key=lambda task: str(task["file_name"]))
    assert ids(crowd_sdk.call("list_tasks", order=order)["items"]) == ids(CROWD[::step])[:50]
    assert ids(crowd_sdk.call("list_tasks", sort="file_name", order=order)["items"]) == ids(by_name[::step])[:50]
