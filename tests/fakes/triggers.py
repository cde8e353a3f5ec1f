"""An object store in memory in which something else happens at the moment of a write."""

from collections.abc import Callable, Mapping

from service.storage.objects import ObjectHead
from tests.fakes.storage import MemoryObjectStore


class TriggeredStore(MemoryObjectStore):
    """Before the first object or part is written, `trigger` is called, once."""

    def __init__(self, trigger: Callable[[], object]) -> None:
        """Take what happens."""
        super().__init__()
        self._triggers = [trigger]

    def put(self, key: str, body: bytes | bytearray, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        """See ObjectStore."""
        self._pull()
        return super().put(key, body, content_type, metadata)

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
        """See ObjectStore."""
        self._pull()
        return super().put_part(key, upload_id, number, body)

    def _pull(self) -> None:
        while self._triggers:
            self._triggers.pop()()
