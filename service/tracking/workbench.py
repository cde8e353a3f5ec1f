"""What a worker process has at hand, made once after its fork."""

from dataclasses import dataclass

from service.config import Settings
from service.db.models import Task
from service.db.session import Sessions
from service.dispatch import Dispatcher
from service.storage.multipart import MultipartWriter
from service.storage.objects import ObjectStore
from service.tracking.callbacks import Callbacks
from service.tracking.keeper import LeaseKeeper


@dataclass(frozen=True, slots=True)
class Workbench:
    """The tables, the bucket, the queues and the reports of one worker, and its name for people."""

    settings: Settings
    sessions: Sessions
    store: ObjectStore
    dispatcher: Dispatcher
    callbacks: Callbacks
    worker: str

    def write_object(self, task: Task, key: str, content_type: str) -> MultipartWriter:
        """A writer of an object that says which attempt at which task made it."""
        return MultipartWriter(
            self.store,
            key,
            content_type=content_type,
            metadata={"task": task.id, "attempt": str(task.attempt)},
            part_bytes=self.settings.part_bytes,
        )

    def keep_lease(self, task: Task) -> LeaseKeeper:
        """A keeper of the lease of a claimed task."""
        settings = self.settings
        return LeaseKeeper(
            lambda bytes_done: self.callbacks.renew(task, bytes_done),
            settings.lease_seconds,
            stall_seconds=2 * settings.source_read_seconds + settings.lease_seconds,
        )
