"""An import from claim to finish: fetch, then load chunk by chunk on any worker, then finish."""

from contextlib import suppress
from time import monotonic

from schemas.vocabulary import ErrorKind, Phase, TaskType
from service.errors import FencedError
from service.imports.adopt import adopt_plan
from service.imports.chunks import ClaimedChunk, claim_chunk, renew_chunk, reopen_chunk
from service.imports.fetch import fetch_source
from service.imports.finish import finish_import
from service.imports.load import load_chunk
from service.tracking.keeper import LeaseKeeper
from service.tracking.settle import backoff_seconds, log_failure, settle_task, translate
from service.tracking.workbench import Workbench

#: How long a worker goes on with what it finds before it lets other messages have their turn.
_TURN_SECONDS = 5.0


def run_imports(bench: Workbench, task_id: str | None = None, turn_seconds: float = _TURN_SECONDS) -> bool:
    """Do what there is to do, beginning with the task that a message named; False when there was nothing.

    A message is only a nudge: whichever task has something due is worked on. Each step is safe to
    lose: it is claimed under a lease and written under a fence. After a turn the rest is left to a new message,
    behind those that wait already; with the broker away there are none, and the work goes on.
    """
    worked = _advance_task(bench, task_id) is not None
    ends_at = monotonic() + turn_seconds
    while (last := run_import_step(bench)) is not None:
        worked = True
        if monotonic() >= ends_at and bench.dispatcher.dispatch(last, TaskType.IMPORT):
            break
    return worked


def run_import_step(bench: Workbench) -> str | None:
    """Advance the task that is due for longest, else load one chunk; gives the task's id, None if nothing is due."""
    return _advance_task(bench) or _load_next_chunk(bench)


def _advance_task(bench: Workbench, task_id: str | None = None) -> str | None:
    """Fetch or finish a due task, whichever is its turn; gives its id."""
    task = bench.callbacks.claim(TaskType.IMPORT, bench.worker, task_id)
    if task is None:
        return None
    try:
        with bench.keep_lease(task) as keeper:
            if task.phase == Phase.FINISHING:
                finish_import(bench, task, keeper)
            elif task.plan_id is not None:
                adopt_plan(bench, task)
            else:
                fetch_source(bench, task, keeper)
    except Exception as error:  # noqa: BLE001  # every error ends in the task's row, or it would never end
        settle_task(bench.callbacks, task, error)
    return task.id


def _load_next_chunk(bench: Workbench) -> str | None:
    """Load the next open chunk of any task; gives the task's id."""
    lease_seconds = bench.settings.lease_seconds
    with bench.sessions.begin() as session:
        claimed = claim_chunk(session, bench.worker, lease_seconds)
    if claimed is None:
        return None
    try:
        with LeaseKeeper(
            lambda _: _renew(bench, claimed),
            lease_seconds,
            stall_seconds=20 * lease_seconds,
        ):
            load_chunk(bench, claimed)
    except Exception as error:  # noqa: BLE001  # as above: the chunk is handed back or the task fails
        _settle_chunk(bench, claimed, error)
    return claimed.task.id


def _renew(bench: Workbench, claimed: ClaimedChunk) -> None:
    with bench.sessions.begin() as session:
        renew_chunk(session, claimed.chunk, bench.settings.lease_seconds)


def _settle_chunk(bench: Workbench, claimed: ClaimedChunk, error: Exception) -> None:
    """Hand the chunk back after a transient error, as often as the settings allow; else fail its task."""
    task, chunk = claimed.task, claimed.chunk
    problem = translate(error)
    if isinstance(problem, FencedError):
        return
    log_failure(
        "chunk_failed",
        error,
        task_id=task.id,
        chunk=chunk.number,
        attempt=chunk.attempt,
    )
    failures = chunk.failures + 1
    gives_up = problem.kind is not ErrorKind.TRANSIENT or failures >= bench.settings.max_attempts
    with suppress(FencedError):
        # First the chunk, under its own fence: who has lost it has no say about the task.
        with bench.sessions.begin() as session:
            reopen_chunk(session, chunk, problem.message, backoff_seconds(failures))
        if gives_up:
            bench.callbacks.fail(task, problem.code, problem.message)
