"""What the counters of a task add up to, and what a finished task came to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import Outcome, TaskState
from service.db.models import Task
from service.tracking.counters import Counters, outcome_of, stored_counters

numbers = st.integers(min_value=0, max_value=10**15)


def make_task(state: TaskState, *, created: int = 0, updated: int = 0, skipped: int = 0, rejected: int = 0) -> Task:
    """A task with these counters, not in any table."""
    return Task(
        state=state,
        created_records=created,
        updated_records=updated,
        skipped_records=skipped,
        rejected_records=rejected,
    )


@given(created=numbers, updated=numbers, skipped=numbers, rejected=numbers)
def test_successful_and_rejected_rows_are_all_that_were_processed(
    created: int, updated: int, skipped: int, rejected: int
) -> None:
    counters = Counters(created, updated, skipped, rejected)
    assert counters.successful == created + updated + skipped
    assert counters.processed == created + updated + skipped + rejected


def test_counters_begin_at_nothing() -> None:
    assert (Counters(), Counters().successful, Counters().processed) == (Counters(0, 0, 0, 0), 0, 0)


def test_stored_counters_are_the_task_s_own() -> None:
    task = make_task(TaskState.COMPLETED, created=1, updated=2, skipped=3, rejected=4)
    assert stored_counters(task) == Counters(created=1, updated=2, skipped=3, rejected=4)


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.PROCESSING])
def test_a_task_that_is_not_finished_has_no_outcome(state: TaskState) -> None:
    assert outcome_of(make_task(state, created=1, rejected=1)) is None


@pytest.mark.parametrize(
    ("state", "expected"), [(TaskState.FAILED, Outcome.FAILED), (TaskState.CANCELLED, Outcome.CANCELLED)]
)
def test_a_stopped_task_came_to_its_state_whatever_was_written_before(state: TaskState, expected: Outcome) -> None:
    assert outcome_of(make_task(state, created=5)) is expected


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        ({}, Outcome.SUCCEEDED),
        ({"created": 1}, Outcome.SUCCEEDED),
        ({"skipped": 1}, Outcome.SUCCEEDED),
        ({"created": 1, "rejected": 1}, Outcome.PARTIAL),
        ({"updated": 1, "rejected": 9}, Outcome.PARTIAL),
        ({"skipped": 1, "rejected": 1}, Outcome.PARTIAL),
        ({"rejected": 1}, Outcome.FAILED),
    ],
)
def test_a_completed_task_s_outcome_says_whether_rows_were_refused(counters: dict[str, int], expected: Outcome) -> None:
    assert outcome_of(make_task(TaskState.COMPLETED, **counters)) is expected
