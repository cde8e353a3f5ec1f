"""A lease is renewed while work goes on, left to end when work stands still, and its loss is told to the work."""

from contextlib import suppress
from queue import Empty, Queue
from threading import Event

import pytest
from sqlalchemy.exc import InternalError, OperationalError
from structlog.testing import capture_logs

from service.errors import FencedError
from service.tracking.keeper import LeaseKeeper

LEASE_SECONDS = 0.03
LONG_SECONDS = 30.0


class Lease:
    """A lease that tells when it is renewed, and refuses as often as it is told to."""

    def __init__(self, *refusals: Exception) -> None:
        self.renewals: Queue[int] = Queue()
        self.refused = Event()
        self._refusals = list(refusals)

    def renew(self, bytes_done: int) -> None:
        if self._refusals:
            refusal = self._refusals.pop(0)
            self.refused.set()
            raise refusal
        self.renewals.put(bytes_done)


def make_keeper(lease: Lease, stall_seconds: float = LONG_SECONDS) -> LeaseKeeper:
    # Shorter than a lease of the settings can be, so that no test waits.
    return LeaseKeeper(lease.renew, LEASE_SECONDS, stall_seconds)  # type: ignore[arg-type]


def next_renewal(lease: Lease) -> int:
    return lease.renewals.get(timeout=LONG_SECONDS)


def test_the_lease_is_renewed_again_and_again_while_work_goes_on() -> None:
    lease = Lease()
    with make_keeper(lease) as keeper:
        keeper.progress(5)
        assert [next_renewal(lease) for _ in range(3)][-1] == 5


def test_a_renewal_tells_the_progress_of_the_moment() -> None:
    lease = Lease()
    with make_keeper(lease) as keeper:
        keeper.progress(5)
        next_renewal(lease)
        keeper.progress(9)
        next_renewal(lease)
        assert next_renewal(lease) == 9


def test_work_that_tells_no_bytes_is_renewed_with_none() -> None:
    lease = Lease()
    with make_keeper(lease):
        assert next_renewal(lease) == 0


def test_nothing_is_renewed_after_the_work() -> None:
    lease = Lease()
    with make_keeper(lease):
        next_renewal(lease)
    while not lease.renewals.empty():
        lease.renewals.get_nowait()
    with pytest.raises(Empty):
        lease.renewals.get(timeout=4 * LEASE_SECONDS)


def test_the_keeper_ends_with_work_that_raises() -> None:
    lease = Lease()
    keeper = make_keeper(lease)
    message = "the work failed"
    with pytest.raises(ValueError, match=message), keeper:
        raise ValueError(message)
    assert not keeper._thread.is_alive()


def test_work_that_stands_still_is_not_renewed() -> None:
    lease = Lease()
    with capture_logs() as logs, make_keeper(lease, stall_seconds=0.0), pytest.raises(Empty):
        lease.renewals.get(timeout=4 * LEASE_SECONDS)
    assert {log["event"] for log in logs} == {"lease_not_renewed"}


def renewed_while_working(keeper: LeaseKeeper, lease: Lease) -> int | None:
    """The bytes of the next renewal while the work tells its progress again and again; None if there is none."""
    for _ in range(1000):
        keeper.progress(7)
        with suppress(Empty):
            return lease.renewals.get(timeout=LEASE_SECONDS)
    return None


def wait_for_a_stall(lease: Lease) -> None:
    with suppress(Empty):
        while True:
            lease.renewals.get(timeout=4 * LEASE_SECONDS)


def test_work_that_goes_on_after_a_stall_is_renewed_again() -> None:
    lease = Lease()
    with make_keeper(lease, stall_seconds=2 * LEASE_SECONDS) as keeper:
        wait_for_a_stall(lease)
        assert renewed_while_working(keeper, lease) == 7


def test_progress_raises_once_the_lease_is_lost_and_nothing_is_renewed_then() -> None:
    fenced = FencedError(task_id="task_1", attempt=1)
    lease = Lease(fenced)
    with make_keeper(lease) as keeper:
        keeper._thread.join(LONG_SECONDS)
        assert lease.refused.is_set()
        for _ in range(2):
            with pytest.raises(FencedError) as caught:
                keeper.progress(1)
            assert caught.value is fenced
    assert lease.renewals.empty()


def test_a_database_that_is_away_for_a_moment_costs_a_renewal_or_two() -> None:
    away = Exception("ann@example.com")
    lease = Lease(OperationalError("UPDATE", {}, away), InternalError("UPDATE", {}, away))
    with capture_logs() as logs, make_keeper(lease) as keeper:
        keeper.progress(7)
        assert [next_renewal(lease), next_renewal(lease)] == [7, 7]
        keeper.progress(8)
    assert logs == [{"event": "renewal_failed", "log_level": "warning"}] * 2
