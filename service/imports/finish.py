"""Finish: when no chunk is left to load, rows are put in file order, refused ones made a file, and the task ends."""

from schemas.options import ImportOptions
from schemas.vocabulary import Phase
from service.db.models import Task
from service.imports.plan import ImportPlan
from service.imports.refused_file import forget_refused, write_refused_file
from service.imports.replay import replay_rows
from service.imports.stop import CODE, find_too_many
from service.imports.whole import merge_whole
from service.tracking.counters import Counters, sum_chunks
from service.tracking.keeper import LeaseKeeper
from service.tracking.lease import require_owner
from service.tracking.lifecycle import ImportResult, stop_chunks
from service.tracking.row_errors import summarise_row_errors
from service.tracking.workbench import Workbench


def finish_import(bench: Workbench, task: Task, keeper: LeaseKeeper) -> None:
    """End an import whose chunks are all loaded, or that was stopped; safe to begin again after an interruption."""
    plan = ImportPlan.of(task, bench.settings)
    if task.stop_code is not None:
        _fence_late_chunks(bench, task)
    if not plan.options.is_whole:
        replay_rows(bench, plan, task, lambda: keeper.progress(task.bytes_done))
    elif task.stop_code is None:
        merge_whole(bench, plan, task, lambda: keeper.progress(task.bytes_done))
    counters = _count(bench, task)
    stopped = _find_stop(task, plan.options, counters)
    refused_key = write_refused_file(bench, plan, task, lambda: keeper.progress(task.bytes_done))
    if stopped is None:
        with bench.sessions() as session:
            summary = summarise_row_errors(session, task.id, counters.rejected)
        if plan.options.dry_run and (foretold := find_too_many(task, plan.options, counters.rejected)):
            summary = f"{foretold}. {summary}"
        bench.callbacks.imported(task, ImportResult(counters, summary, refused_key))
        forget_refused(bench, task)
    else:
        # It can be set to go on: then a second file will hold these rows, too.
        bench.callbacks.stopped(task, *stopped, ImportResult(counters, refused_key=refused_key))


def _fence_late_chunks(bench: Workbench, task: Task) -> None:
    """Whoever claimed a chunk while the import was being stopped has either committed it now or never will."""
    with bench.sessions.begin() as session:
        require_owner(session, task, Phase.FINISHING)
        stop_chunks(session, task.id)


def _count(bench: Workbench, task: Task) -> Counters:
    with bench.sessions() as session:
        return sum_chunks(session, [task.id]).get(task.id, Counters())


def _find_stop(task: Task, options: ImportOptions, counters: Counters) -> tuple[str, str] | None:
    """The code and the message of an import that was stopped, or whose last chunks refused too many rows."""
    if task.stop_code is not None:
        return task.stop_code, str(task.stop_message)
    if options.dry_run:
        return None
    message = find_too_many(task, options, counters.rejected)
    return (CODE, message) if message else None
