"""What the rest of Wharf asks of an object store, whoever runs it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the store says of an object without its bytes. The metadata's keys are lower-case.

    `encryption` is the algorithm of the store's own encryption, "" where it says nothing of one.
    """

    size_bytes: int
    etag: str
    content_type: str
    metadata: Mapping[str, str]
    encryption: str = ""


@dataclass(frozen=True, slots=True)
class OpenMultipart:
    """A multipart upload that is neither complete nor aborted."""

    key: str
    upload_id: str
    begun_at: datetime


class ObjectStore(Protocol):
    """One bucket of an object store.

    Every method may raise StoreUnavailableError (a later try may succeed) and StoreRefusedError (credentials, policy
    or bucket are wrong). Every method is safe to call twice; an object appears whole or not at all.
    """

    def check(self) -> None:
        """Ask once, within 2 seconds, whether the bucket can be reached: for readiness, without retries."""

    def ensure_bucket(self) -> None:
        """Make the bucket where it is missing, and let browsers upload to it where the store knows CORS."""

    def put(self, key: str, body: bytes | bytearray, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        """Write a small object in one request."""

    def head(self, key: str) -> ObjectHead | None:
        """What the store says of an object; None where there is none."""

    def open_range(self, key: str, start: int, end: int, etag: str | None = None) -> bytes:
        """The bytes from `start` to before `end`, exactly that many.

        Raises NotFoundError where there is no such object, SourceChangedError where it is shorter, or is not the
        one that had `etag`.
        """

    def stream(self, key: str, block_bytes: int, etag: str | None = None) -> Iterator[bytes]:
        """The whole object in blocks; an end without an error means that no byte is missing. Raises as `open_range`."""

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""

    def upload_link(self, key: str, seconds: int) -> str:
        """A URL to which anyone may PUT the object's bytes for so long."""

    def download_link(self, key: str, seconds: int, file_name: str) -> str:
        """A URL from which anyone may GET the object for so long, saved by browsers as `file_name`."""

    def begin_multipart(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """Begin an upload in parts; returns its id."""

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
        """Upload part `number` (from 1; all but the last of 5 MiB or more); returns its ETag."""

    def complete_multipart(self, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
        """Make the object of the parts with these numbers and ETags, in the order of the numbers; others are dropped.

        Raises NotFoundError for an upload no longer open.
        """

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; nothing happens where it is not open."""

    def list_multiparts(self, prefix: str) -> Iterator[OpenMultipart]:
        """The open uploads whose keys begin with `prefix`."""
