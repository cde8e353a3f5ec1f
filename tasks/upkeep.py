"""Entry points of upkeep, sent by beat."""

from service.dispatch import EntryPoint
from service.exports.tidy import abort_old_uploads, tidy_exports
from service.sweep import sweep
from tasks.base import entry_point
from tasks.workbench import workbench


@entry_point(EntryPoint.SWEEP)
def sweep_task() -> None:
    """Look for what was left behind."""
    sweep(workbench())


@entry_point(EntryPoint.TIDY_BUCKETS)
def tidy_buckets_task() -> None:
    """Remove from buckets what nobody goes on with."""
    bench = workbench()
    tidy_exports(bench)
    abort_old_uploads(bench)
