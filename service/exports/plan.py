"""What an attempt at an export writes, and where."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from schemas.export_options import ExportOptions, read_export_options
from schemas.vocabulary import EntityType, FileType
from service.connections.destinations import Destination, find_destination
from service.db.models import Scope, Task
from service.exports.formats import Format, find_format
from service.exports.query import ExportQuery, export_query
from service.storage.clients import Patience
from service.storage.multipart import MultipartWriter
from service.tracking.workbench import Workbench


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """One attempt at an export; `base` is what the keys of all its objects begin with."""

    task: Task
    options: ExportOptions
    query: ExportQuery
    form: Format
    destination: Destination
    base: str
    part_bytes: int

    @property
    def key(self) -> str:
        """The object's key, where it is one object."""
        return f"{self.base}{self.form.extension}"

    @property
    def manifest_key(self) -> str:
        """The key of the manifest: beside the object, or in the midst of several."""
        return f"{self.base if self.options.max_part_rows else self.key}.manifest.json"

    def split_key(self, number: int) -> str:
        """The key of one of several objects, numbered from 1."""
        return f"{self.base}-{number:04}{self.form.extension}"

    @property
    def metadata(self) -> dict[str, str]:
        """What each object says of itself: which attempt at which task made it."""
        return {"task": self.task.id, "attempt": str(self.task.attempt)}

    def write_object(self, key: str) -> MultipartWriter:
        """A writer of one object."""
        return MultipartWriter(
            self.destination.store,
            key,
            content_type=self.form.content_type,
            metadata=self.metadata,
            part_bytes=self.part_bytes,
        )

    def url(self, key: str) -> str:
        """How a task names an object."""
        return f"s3://{self.destination.bucket}/{key}"


def plan_export(bench: Workbench, task: Task, *, patience: Patience = "patient") -> ExportPlan:
    """The plan of a claimed task; raises as find_destination does."""
    entity_type = EntityType(task.entity_type)
    options = read_export_options(entity_type, task.options)
    destination = find_destination(
        bench.sessions,
        bench.settings,
        bench.store,
        task.scope_id,
        task.destination_url or "",
        task.connection_id,
        patience=patience,
    )
    with bench.sessions() as session:
        base = destination.prefix + name_objects(session, task, options)
    return ExportPlan(
        task=task,
        options=options,
        query=export_query(entity_type, task.scope_id, options),
        form=find_format(FileType(task.file_type), options.compression, options.columns),
        destination=destination,
        base=base,
        part_bytes=bench.settings.part_bytes,
    )


def name_objects(session: Session, task: Task, options: ExportOptions) -> str:
    """How the keys of an attempt's objects begin behind the prefix: unique to it, and readable in the bucket."""
    scope = session.get_one(Scope, task.scope_id)
    entity = task.entity_type.lower()
    window = ""
    if options.start_time and options.end_time:
        window = f"-{_stamp(options.start_time)}-{_stamp(options.end_time)}"
    return f"{scope.tenant_id}/{scope.environment_id}/{entity}/{entity}{window}-{task.id}-{task.attempt}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%y%m%d%H%M%S")
