"""An export from claim to finish: one snapshot, read by COPY, streamed into its object or objects."""

from schemas.vocabulary import TaskType
from service.db.models import Task
from service.exports.cut import cut_table
from service.exports.helper import help_export
from service.exports.manifest import Part, make_manifest, store_manifest
from service.exports.plan import ExportPlan, plan_export
from service.exports.ranges import note_attempt
from service.exports.shared import write_shared
from service.exports.snapshot import Snapshot, take_snapshot
from service.exports.whole import write_split, write_whole
from service.tracking.keeper import LeaseKeeper
from service.tracking.lifecycle import ExportObject
from service.tracking.settle import settle_task
from service.tracking.workbench import Workbench


def run_export(bench: Workbench, task_id: str | None = None) -> bool:
    """Run one due export, the one named or the one due for longest, or help with one that runs; False without any.

    An export that was interrupted starts afresh: its object's key carries the attempt, so what a lost
    attempt still writes is never what the task shows.
    """
    task = bench.callbacks.claim(TaskType.EXPORT, bench.worker, task_id)
    if task is None:
        return help_export(bench)
    try:
        with bench.keep_lease(task) as keeper:
            bench.callbacks.exported(task, _make_objects(bench, task, keeper))
    except Exception as error:  # noqa: BLE001  # every error ends in the task's row, or it would never end
        settle_task(bench.callbacks, task, error)
    return True


def _make_objects(bench: Workbench, task: Task, keeper: LeaseKeeper) -> ExportObject:
    """Write everything, the manifest last; what the task names is whole before it does."""
    plan = plan_export(bench, task)
    with bench.sessions.begin() as session:
        note_attempt(session, task, plan.base)
    with take_snapshot(bench.sessions) as snapshot:
        parts = _write_rows(bench, plan, snapshot, keeper)
    manifest = make_manifest(plan, snapshot, parts)
    store_manifest(plan, plan.manifest_key, manifest)
    named = plan.manifest_key if plan.options.max_part_rows else plan.key
    return ExportObject(plan.url(named), int(manifest["rows"]), manifest)


def _write_rows(bench: Workbench, plan: ExportPlan, snapshot: Snapshot, keeper: LeaseKeeper) -> list[Part]:
    """As several objects if that was asked for, by several workers if it is worth it."""
    if plan.options.max_part_rows:
        return write_split(plan, snapshot, keeper.progress, plan.options.max_part_rows)
    ranges = cut_table(plan, snapshot, bench.settings.range_bytes)
    if ranges:
        return write_shared(bench, plan, snapshot, ranges, keeper.progress)
    return write_whole(plan, snapshot, keeper.progress)
