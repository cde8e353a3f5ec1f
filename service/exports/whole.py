"""One worker writes all rows: as one object, or as several of so many rows each."""

from service.errors import ValidationError
from service.exports.encode import make_encoder
from service.exports.manifest import Part
from service.exports.plan import ExportPlan
from service.exports.rows import Progress, RowReader
from service.exports.snapshot import Snapshot

#: All of them are listed in the task.
_FILES_MAX = 1000


def write_whole(plan: ExportPlan, snapshot: Snapshot, progress: Progress) -> list[Part]:
    """Write one object in constant memory; nothing of it is left when that fails. Raises as store and database do."""
    with RowReader(snapshot.connection, plan.form.copy(plan.query), progress) as reader:
        return [_write_object(plan, plan.key, reader)]


def write_split(plan: ExportPlan, snapshot: Snapshot, progress: Progress, part_rows: int) -> list[Part]:
    """Write objects of at most so many rows, each a file of its own; at least one.

    Raises like `write_whole`, and ValidationError when there would be too many.
    """
    parts: list[Part] = []
    with RowReader(snapshot.connection, plan.form.copy(plan.query), progress) as reader:
        while not parts or reader.has_more():
            if len(parts) == _FILES_MAX:
                message = f"The rows fill more than {_FILES_MAX} files of {part_rows} rows; give a larger max_part_rows"
                raise ValidationError(message)
            parts.append(_write_object(plan, plan.split_key(len(parts) + 1), reader, part_rows))
    return parts


def _write_object(plan: ExportPlan, key: str, reader: RowReader, rows_max: int | None = None) -> Part:
    rows_before = reader.rows
    with plan.write_object(key) as writer:
        encoder = make_encoder(plan.form, plan.query, writer)
        for block in reader.blocks(rows_max):
            encoder.add(block)
        encoder.finish()
        written = writer.complete()
    return Part(key, reader.rows - rows_before, written.size_bytes, written.sha256)
