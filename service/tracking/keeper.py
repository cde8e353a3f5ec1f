"""Keeps a lease while long work goes on: a thread renews it, and stops when the work itself stands still."""

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Self

import structlog
from sqlalchemy.exc import DBAPIError

from service.errors import FencedError

_log = structlog.get_logger(__name__)


class LeaseKeeper:
    """Renews a lease every third of its length while the work calls `progress` often enough.

    Work that hangs must lose its lease, or it would hold it for ever; so no renewal is made while
    nothing was heard for `stall_seconds`. A renewal that finds the lease gone makes the next
    `progress` raise FencedError, which is how the work learns that it should stop.
    """

    def __init__(self, renew: Callable[[int], None], lease_seconds: int, stall_seconds: float) -> None:
        """Take the renewal, which is given the bytes done and raises FencedError, and two lengths in seconds."""
        self._renew = renew
        self._interval_seconds = lease_seconds / 3
        self._stall_seconds = stall_seconds
        self._bytes_done = 0
        self._heard_at = monotonic()
        self._fenced: FencedError | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Start renewing."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop renewing; the lease itself is ended by whoever finishes the task."""
        self._stopped.set()
        self._thread.join()

    def progress(self, bytes_done: int) -> None:
        """Tell that work goes on, and how far it is; raises FencedError once the lease is lost."""
        self._bytes_done = bytes_done
        self._heard_at = monotonic()
        if self._fenced is not None:
            raise self._fenced

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_seconds):
            if monotonic() - self._heard_at > self._stall_seconds:
                _log.warning("lease_not_renewed", stall_seconds=self._stall_seconds)
                continue
            try:
                self._renew(self._bytes_done)
            except FencedError as error:
                self._fenced = error
                return
            except DBAPIError:
                # The database is away for now; the next renewal may still be in time.
                _log.warning("renewal_failed")
