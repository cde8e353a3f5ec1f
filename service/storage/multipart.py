"""Writing an object of unknown length in constant memory."""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import structlog

from service.errors import NotFoundError, StoreRefusedError, StoreUnavailableError
from service.storage.objects import ObjectHead, ObjectStore

MIB = 1024 * 1024
GIB = 1024 * MIB

# S3's limits: 10,000 parts, each of at most 5 GiB.
PARTS_MAX = 10_000
_PART_MAX_BYTES = 5 * GIB
_PARTS_OF_ONE_SIZE = 1_000

log = structlog.get_logger()


def part_size(number: int, part_bytes: int) -> int:
    """The size of part `number` (from 1): it doubles after every 1,000 parts, up to 5 GiB.

    With parts of 8 MiB a file of 50 GiB ends in part 2,700 at 32 MiB each, and 10,000 parts hold 7.8 TiB, more than
    most stores take as one object.
    """
    return min(part_bytes << (number - 1) // _PARTS_OF_ONE_SIZE, _PART_MAX_BYTES)


@dataclass(frozen=True, slots=True)
class WrittenObject:
    """An object that is whole in the store: its length, the SHA-256 of its bytes in hex, and its ETag."""

    key: str
    size_bytes: int
    sha256: str
    etag: str


class MultipartWriter:
    """Writes one object piece by piece; leave the `with` block without `complete` and nothing is left of it.

    One part is uploaded while the next is filled, so at most two parts are in memory. What fits in one part is
    written in one request. Not for several threads. Methods raise as the store does.
    """

    def __init__(
        self, store: ObjectStore, key: str, *, content_type: str, metadata: Mapping[str, str], part_bytes: int
    ) -> None:
        """Nothing is sent before the first part is full; `part_bytes` is the size of the first 1,000 parts."""
        self._store = store
        self._key = key
        self._content_type = content_type
        self._metadata = metadata
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._upload_id: str | None = None
        self._etags: list[str] = []
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="part")
        self._in_flight: Future[str] | None = None

    def __enter__(self) -> Self:
        """Hand out the writer itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Abort what was not completed; the error on its way out matters more than one of the abort."""
        try:
            self._abort()
        except (StoreUnavailableError, StoreRefusedError) as failure:
            # abort_strays finds it later.
            log.warning("multipart_not_aborted", key=self._key, code=failure.code)
        finally:
            self._sender.shutdown()

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Add bytes to the object."""
        self._size_bytes += len(block)
        rest = memoryview(block)
        while rest:
            room = part_size(self._next_number, self._part_bytes) - len(self._buffer)
            if not room:
                self._send_part()
                continue
            self._buffer += rest[:room]
            rest = rest[room:]

    def complete(self) -> WrittenObject:
        """Make the object appear, and return it after the store confirmed its length. Not twice."""
        head = self._complete_parts() if self._etags or self._in_flight else self._put_whole()
        if head is None or head.size_bytes != self._size_bytes:
            message = "The object store lost bytes of an upload; it is tried again"
            raise StoreUnavailableError(message, key=self._key)
        return WrittenObject(self._key, self._size_bytes, self._hash.hexdigest(), head.etag)

    @property
    def _next_number(self) -> int:
        return len(self._etags) + (self._in_flight is not None) + 1

    def _put_whole(self) -> ObjectHead:
        self._hash.update(self._buffer)
        return self._store.put(self._key, self._buffer, self._content_type, self._metadata)

    def _send_part(self) -> None:
        """Give the full buffer to the sender, once the part before has arrived."""
        if self._upload_id is None:
            self._upload_id = self._store.begin_multipart(self._key, self._content_type, self._metadata)
        number = self._next_number
        self._await_part()
        self._in_flight = self._sender.submit(self._put_part, self._upload_id, number, self._buffer)
        self._buffer = bytearray()

    def _put_part(self, upload_id: str, number: int, part: bytearray) -> str:
        """What the sender does, beside who fills the next part; the parts come in order."""
        self._hash.update(part)
        return self._store.put_part(self._key, upload_id, number, part)

    def _await_part(self) -> None:
        if self._in_flight is None:
            return
        try:
            self._etags.append(self._in_flight.result())
        except NotFoundError as error:
            message = "Somebody else aborted this upload; it is tried again"
            raise StoreUnavailableError(message, key=self._key) from error
        self._in_flight = None

    def _complete_parts(self) -> ObjectHead | None:
        """Send the rest and join the parts; the store's head afterwards."""
        self._send_part()
        self._await_part()
        try:
            self._store.complete_multipart(self._key, self._upload_id or "", dict(enumerate(self._etags, start=1)))
        except NotFoundError:
            # A repeated request whose first answer was lost: the head tells whether the object is there.
            log.info("multipart_not_open", key=self._key)
        self._upload_id = None
        return self._store.head(self._key)

    def _abort(self) -> None:
        """Forget the upload; first the part in flight must have ended, or it would be left behind."""
        if self._in_flight is not None:
            wait([self._in_flight])
        if self._upload_id is not None:
            self._store.abort_multipart(self._key, self._upload_id)


def abort_strays(store: ObjectStore, prefix: str, begun_before: datetime, is_ours: Callable[[str], bool] = bool) -> int:
    """Abort the uploads under `prefix` with keys of ours that were begun before then; returns how many. Safe to repeat.

    Raises as the store does. A process that was killed leaves its upload open, and stores charge for its parts.
    """
    uploads = store.list_multiparts(prefix)
    strays = [upload for upload in uploads if upload.begun_at < begun_before and is_ours(upload.key)]
    for upload in strays:
        store.abort_multipart(upload.key, upload.upload_id)
    return len(strays)
