"""An object store in memory, which passes the integration tests of the real one."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from service.errors import NotFoundError, SourceChangedError, StoreUnavailableError
from service.storage.objects import ObjectHead, OpenMultipart


@dataclass
class _Upload:
    key: str
    begun_at: datetime
    content_type: str
    metadata: Mapping[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


class MemoryObjectStore:
    """Objects in a dict. `failing` names the methods that raise StoreUnavailableError; `calls` counts all of them."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = now
        self.failing: set[str] = set()
        self.calls: list[str] = []
        self._objects: dict[str, tuple[bytes, ObjectHead]] = {}
        self._uploads: dict[str, _Upload] = {}
        self._numbers = itertools.count(1)

    def check(self) -> None:
        self._called("check")

    def ensure_bucket(self) -> None:
        self._called("ensure_bucket")

    def put(self, key: str, body: bytes | bytearray, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        self._called("put")
        return self._store(key, bytes(body), content_type, metadata)

    def head(self, key: str) -> ObjectHead | None:
        self._called("head")
        found = self._objects.get(key)
        return found[1] if found else None

    def open_range(self, key: str, start: int, end: int, etag: str | None = None) -> bytes:
        self._called("open_range")
        content = b"" if start == end else self._open(key, etag)[start:end]
        if len(content) != end - start:
            raise SourceChangedError
        return content

    def stream(self, key: str, block_bytes: int, etag: str | None = None) -> Iterator[bytes]:
        self._called("stream")
        content = self._open(key, etag)
        for start in range(0, len(content), block_bytes):
            yield content[start : start + block_bytes]

    def delete(self, key: str) -> None:
        self._called("delete")
        self._objects.pop(key, None)

    def upload_link(self, key: str, seconds: int) -> str:
        return f"memory://put/{key}?seconds={seconds}"

    def download_link(self, key: str, seconds: int, file_name: str) -> str:
        return f"memory://get/{key}?seconds={seconds}&file_name={file_name}"

    def begin_multipart(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        self._called("begin_multipart")
        upload_id = f"upload-{next(self._numbers)}"
        self._uploads[upload_id] = _Upload(key, self.now, content_type, dict(metadata))
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
        self._called("put_part")
        self._upload(key, upload_id).parts[number] = bytes(body)
        return _etag(body)

    def complete_multipart(self, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
        self._called("complete_multipart")
        upload = self._upload(key, upload_id)
        content = b"".join(upload.parts[number] for number in sorted(etags))
        self._store(key, content, upload.content_type, upload.metadata)
        del self._uploads[upload_id]

    def abort_multipart(self, key: str, upload_id: str) -> None:
        self._called("abort_multipart")
        if upload_id in self._uploads:
            self._upload(key, upload_id)
            del self._uploads[upload_id]

    def list_multiparts(self, prefix: str) -> Iterator[OpenMultipart]:
        self._called("list_multiparts")
        for upload_id, upload in list(self._uploads.items()):
            if upload.key.startswith(prefix):
                yield OpenMultipart(upload.key, upload_id, upload.begun_at)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise StoreUnavailableError

    def _open(self, key: str, etag: str | None) -> bytes:
        if key not in self._objects:
            raise NotFoundError
        content, head = self._objects[key]
        if etag not in {None, head.etag}:
            raise SourceChangedError
        return content

    def _upload(self, key: str, upload_id: str) -> _Upload:
        upload = self._uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise NotFoundError
        return upload

    def _store(self, key: str, content: bytes, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        head = ObjectHead(len(content), _etag(content), content_type, dict(metadata))
        self._objects[key] = (content, head)
        return head


def _etag(content: bytes | bytearray) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
