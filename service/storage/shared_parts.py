"""Parts of an upload that several workers write: numbers are given out as parts are sent.

Some stores join only parts 1, 2, 3 and so on, and all that were sent (rclone 1.75), so no number may be left out.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Self

from service.errors import NotFoundError, StoreUnavailableError
from service.storage.objects import ObjectStore

MIB = 1024 * 1024
#: S3's least size of a part that is not the last one of its object.
LEAST_PART_BYTES = 5 * MIB


@dataclass(slots=True)
class Stretch:
    """Consecutive parts by one writer, and what is in them."""

    first_number: int
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class SentParts:
    """What is in the store: ETags by number, and the stretches that the parts make."""

    etags: dict[int, str] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)


class PartSender:
    """Sends parts of an upload that somebody else completes, one while the next is made. Not for several threads.

    `next_number` gives the number of each. Methods raise as it and the store do.
    """

    def __init__(self, store: ObjectStore, key: str, upload_id: str, next_number: Callable[[], int]) -> None:
        """Nothing is sent yet."""
        self._store = store
        self._key = key
        self._upload_id = upload_id
        self._next_number = next_number
        self._sent = SentParts()
        self._last_number = 0
        self._highest_number = 0
        self._hash = hashlib.sha256()
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="part")
        self._in_flight: Future[None] | None = None

    def __enter__(self) -> Self:
        """Hand out the sender itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Wait for the part in flight: after this nothing is sent any more."""
        if self._in_flight is not None:
            wait([self._in_flight])
        self._sender.shutdown()

    @property
    def highest_number(self) -> int:
        """The highest number that a part of this sender has, 0 before the first: so many parts there are at least."""
        return self._highest_number

    def send(self, body: bytearray, rows: int) -> None:
        """Send a part, which holds so many rows, once the one before has arrived; do not change it afterwards."""
        self._await_part()
        number = self._next_number()
        self._highest_number = max(self._highest_number, number)
        self._in_flight = self._sender.submit(self._put, number, body, rows)

    def finish(self) -> SentParts:
        """All that was sent, when it has arrived."""
        self._await_part()
        return self._sent

    def _put(self, number: int, body: bytearray, rows: int) -> None:
        """What the sender's thread does; the parts come in order."""
        if not self._sent.stretches or number != self._last_number + 1:
            self._hash = hashlib.sha256()
            self._sent.stretches.append(Stretch(number, 0, 0, ""))
        self._last_number = number
        self._hash.update(body)
        self._sent.etags[number] = self._store.put_part(self._key, self._upload_id, number, body)
        stretch = self._sent.stretches[-1]
        stretch.rows += rows
        stretch.bytes += len(body)
        stretch.sha256 = self._hash.hexdigest()

    def _await_part(self) -> None:
        if self._in_flight is None:
            return
        try:
            self._in_flight.result()
        except NotFoundError as error:
            message = "Somebody else aborted this upload; it is tried again"
            raise StoreUnavailableError(message, key=self._key) from error
        self._in_flight = None
