"""What an import does with each chunk: its options, how its source is read, by which rules."""

from dataclasses import dataclass
from typing import Self

from schemas.entities import ENTITIES
from schemas.entities.row_schema import RowSchema
from schemas.options import ImportOptions, read_options
from schemas.vocabulary import EntityType
from service.db.models import Task
from service.imports.formats.header import effective_names
from service.imports.formats.limits import Limits
from service.imports.formats.read import Reading
from service.imports.formats.source_format import SourceFormat
from service.imports.own_ids import own_id_prefix


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The options and the rules of one import of which the source is stored; how ids begin of events without one."""

    options: ImportOptions
    schema: RowSchema
    reading: Reading
    own_ids: str | None

    @classmethod
    def of(cls, task: Task, limits: Limits) -> Self:
        """The plan of a task whose source has been fetched."""
        entity_type = EntityType(task.entity_type)
        options = read_options(entity_type, task.options)
        reading = Reading(
            format=SourceFormat.from_json(task.source_format),
            names=effective_names(tuple(task.source_columns or ()), options.mapping),
            constants=options.constants,
            mapping=options.mapping,
            limits=limits,
        )
        return cls(options, ENTITIES[entity_type].schema_for(options.mode), reading, own_id_prefix(task, options))
