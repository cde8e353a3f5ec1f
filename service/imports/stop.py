"""When too many rows are refused: the import loads no more chunks, and FAILED says why."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.options import ImportOptions
from schemas.vocabulary import ChunkState
from service.db.models import Chunk, Task
from service.tracking.lifecycle import stop_loading

CODE = "too_many_errors"


def stop_if_too_many(session: Session, task: Task, options: ImportOptions) -> None:
    """Stop the import when its loaded chunks, with those of this transaction, refused more rows than it allows."""
    if options.dry_run or options.refused_rows_allowed(task.total_records or 0) is None:
        return
    rejected = session.scalar(
        select(func.sum(Chunk.rejected_records)).where(Chunk.task_id == task.id, Chunk.state == ChunkState.LOADED)
    )
    if message := find_too_many(task, options, int(rejected or 0)):
        stop_loading(session, task.id, CODE, message)


def find_too_many(task: Task, options: ImportOptions, rejected: int) -> str | None:
    """Why so many refused rows end the import, or would end the one that a dry run stands for; None if they do not."""
    total = task.total_records or 0
    allowed = options.refused_rows_allowed(total)
    if allowed is None or rejected <= allowed:
        return None
    rows = "1 row was" if rejected == 1 else f"{rejected} rows were"
    if options.dry_run:
        return f"To load this would fail: {rows} refused, and the options allow {allowed} of {total}"
    kept = "nothing was written" if options.atomic else "the rows that were loaded before stay"
    return (
        f"{rows} refused so far, and the options allow {allowed} of {total}; {kept}. "
        "Mend the refused rows, or allow more by max_errors or max_error_percent"
    )
