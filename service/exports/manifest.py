"""What an export wrote: the proof that is kept with the task and beside the object."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from schemas.base import format_instant
from service.exports.plan import ExportPlan
from service.exports.snapshot import Snapshot

_CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive bytes that one worker wrote: a whole object, or what follows the part before in the same one."""

    key: str
    rows: int
    bytes: int
    sha256: str


def make_manifest(plan: ExportPlan, snapshot: Snapshot, parts: Sequence[Part]) -> dict[str, Any]:
    """The manifest of an export whose objects are these; `sha256` is null where it is not one worker's one object."""
    options = plan.options
    return {
        "task": plan.task.id,
        "rows": sum(part.rows for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "sha256": parts[0].sha256 if len(parts) == 1 else None,
        "parts": [asdict(part) for part in parts],
        "columns": list(options.columns),
        "format": plan.form.file_type,
        "compression": options.compression,
        "spreadsheet_safe": options.spreadsheet_safe,
        "filters": {name: list(wanted) for name, wanted in options.filters.items()},
        "start_time": format_instant(options.start_time) if options.start_time else None,
        "end_time": format_instant(options.end_time) if options.end_time else None,
        "snapshot_at": format_instant(snapshot.taken_at),
        "complete_until": format_instant(snapshot.complete_until),
    }


def store_manifest(plan: ExportPlan, key: str, manifest: dict[str, Any]) -> None:
    """Put a manifest beside its objects; raises as the store does."""
    body = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    plan.destination.store.put(key, body, _CONTENT_TYPE, plan.metadata)
