"""A whole file taken through all that happens to its bytes before they are merged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from schemas.entities import ENTITIES
from schemas.options import ImportOptions
from schemas.row_errors import RowError
from schemas.vocabulary import EntityType, FileType
from service.imports.formats.header import effective_names
from service.imports.formats.limits import Limits
from service.imports.formats.opening import open_text
from service.imports.formats.read import Reading, read_rows
from service.imports.formats.source_format import SourceFormat
from service.imports.survey import Survey
from tests.unit.imports.csv_parts import TestLimits

LIMITS = TestLimits(chunk_bytes=64 * 1024, row_max_bytes=1 << 20, field_max_bytes=1 << 18, columns_max=1000)


@dataclass
class Imported:
    """What became of a file: its format, the values of good rows, and of the others the codes by column."""

    format: SourceFormat
    values: list[dict[str, Any]] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)


def import_file(
    blocks: Sequence[bytes],
    file_type: FileType = FileType.CSV,
    options: ImportOptions | None = None,
    entity_type: EntityType = EntityType.CUSTOMERS,
    *,
    limits: Limits = LIMITS,
    max_bytes: int = 1 << 30,
) -> Imported:
    """Every row of a file, chunk by chunk; raises SourceRefusedError."""
    options = options or ImportOptions()
    entity = ENTITIES[entity_type]
    survey = Survey(entity, file_type, options, limits)
    text = open_text(blocks, options.encoding, max_bytes)
    stored = b""
    for block in text.blocks:
        survey.read(block)
        stored += block
    survey.finish()
    names = effective_names(survey.header, options.mapping)
    reading = Reading(survey.format, limits, names, options.constants, options.mapping)
    imported = Imported(survey.format)
    for span in survey.spans:
        for row in read_rows(stored[span.byte_start : span.byte_end], reading, span.first_row, span.first_line):
            if isinstance(row, RowError):
                imported.errors.append((row.row, row.column, row.code))
                continue
            try:
                loaded = entity.schema_for(options.mode).load(row.cells)
            except ValidationError as refused:
                problems = refused.messages_dict.items()
                imported.errors += [(row.number, column, problem[0].code) for column, problem in problems]
            else:
                imported.values.append({name: value for name, value in loaded.items() if value is not None})
    return imported


def cut_blocks(data: bytes, block_bytes: int) -> list[bytes]:
    """A file in blocks; large files in larger ones."""
    if len(data) > 10_000:
        block_bytes *= 10_000
    return [data[place : place + block_bytes] for place in range(0, len(data), block_bytes)]
