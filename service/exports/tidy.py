"""Upkeep of buckets: what attempts that are over have left there is removed."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Interval, and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from schemas.vocabulary import TaskState
from service.db.clock import now
from service.db.models import Attempt, ExportAttempt, ExportStream, Task
from service.errors import NotFoundError, WharfError
from service.exports.plan import ExportPlan, plan_export
from service.exports.ranges import forget_attempt
from service.storage.multipart import abort_strays
from service.tracking.settle import log_failure
from service.tracking.workbench import Workbench

#: When an attempt is looked at again, at least; the longer it is over, the later.
_AGAIN = timedelta(minutes=10)
#: So long a worker may go on with an attempt that was taken from it, and write what nobody asked for.
_MAY_WRITE = timedelta(hours=1)
#: A bucket that keeps us out for so long is not ours to tidy.
_GIVEN_UP = timedelta(days=7)
_LOOKED_AT_ONCE = 20
#: How old uploads in our own bucket are that nobody goes on with.
_STRAY = timedelta(days=1)
#: The bucket may be others' too; the keys of our uploads name their task.
_OURS = re.compile("task_[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class _Left:
    """An attempt that is over, and for how long."""

    attempt: ExportAttempt
    task: Task
    age: timedelta


def tidy_exports(bench: Workbench) -> None:
    """Remove what ended attempts have left, a few at a time; safe beside others who do the same."""
    with bench.sessions.begin() as session:
        forget_completed(session)
        lefts = _take_left(session)
    for left in lefts:
        if _is_done_with(bench, left):
            with bench.sessions.begin() as session:
                forget_attempt(session, left.task.id, left.attempt.attempt)


def abort_old_uploads(bench: Workbench) -> int:
    """Abort the uploads in our own bucket that were begun a day ago or more; returns how many. Raises as the store."""
    with bench.sessions() as session:
        moment = session.scalars(select(now())).one()
    return abort_strays(bench.store, "", moment - _STRAY, lambda key: bool(_OURS.search(key)))


def _is_done_with(bench: Workbench, left: _Left) -> bool:
    """Remove what there is; whether nothing more is to come."""
    try:
        has_found = _remove(replace(plan_export(bench, left.task, patience="brisk"), base=left.attempt.base))
    except NotFoundError:
        # Its connection was deleted.
        return True
    except WharfError as error:
        log_failure("export_not_tidied", error, task_id=left.task.id, attempt=left.attempt.attempt)
        return left.age > _GIVEN_UP
    return not has_found and left.age > _MAY_WRITE


def forget_completed(session: Session) -> None:
    """Forget the attempts whose objects are their tasks'."""
    is_whole = exists().where(
        Task.id == ExportAttempt.task_id, Task.attempt == ExportAttempt.attempt, Task.state == TaskState.COMPLETED
    )
    session.execute(delete(ExportAttempt).where(is_whole))


def _take_left(session: Session) -> list[_Left]:
    """Attempts that are over and left something, each not to be looked at by others for a while."""
    is_over = or_(
        Task.attempt != ExportAttempt.attempt,
        and_(Task.state != TaskState.PROCESSING, Task.state != TaskState.COMPLETED),
        # Handed back after an error: the next claim begins another.
        and_(Task.state == TaskState.PROCESSING, Task.lease_expires_at.is_(None)),
    )
    still_writes = exists().where(
        ExportStream.task_id == ExportAttempt.task_id,
        ExportStream.attempt == ExportAttempt.attempt,
        ExportStream.lease_expires_at > now(),
    )
    wanted = (
        select(ExportAttempt.task_id, ExportAttempt.attempt, (now() - Attempt.ended_at).label("age"))
        .join(Task, Task.id == ExportAttempt.task_id)
        .join(Attempt, and_(Attempt.task_id == ExportAttempt.task_id, Attempt.number == ExportAttempt.attempt))
        .where(is_over, ~still_writes, ExportAttempt.look_at <= now())
        .order_by(ExportAttempt.look_at)
        .limit(_LOOKED_AT_ONCE)
        .with_for_update(of=ExportAttempt, skip_locked=True)
        .cte("wanted")
    )
    found = session.execute(
        update(ExportAttempt)
        .where(ExportAttempt.task_id == wanted.c.task_id, ExportAttempt.attempt == wanted.c.attempt)
        .values(look_at=now() + func.greatest(literal(_AGAIN, Interval), wanted.c.age / 2))
        .returning(ExportAttempt, wanted.c.age)
    ).all()
    return [_Left(attempt, session.get_one(Task, attempt.task_id), age or timedelta()) for attempt, age in found]


def _remove(plan: ExportPlan) -> bool:
    """Abort the uploads and delete the objects of an attempt; whether there were any."""
    store, has_found = plan.destination.store, False
    for upload in store.list_multiparts(plan.base):
        # Another attempt's number may begin with the digits of this one's.
        if upload.key[len(plan.base) :][:1] in {".", "-"}:
            store.abort_multipart(upload.key, upload.upload_id)
            has_found = True
    number = 0
    while plan.options.max_part_rows and store.head(plan.split_key(number + 1)):
        number += 1
    # The first last: as long as it is there, the others are found again.
    keys = [plan.split_key(place) for place in range(number, 0, -1)]
    for key in (plan.manifest_key, plan.key, *keys):
        if store.head(key) is not None:
            store.delete(key)
            has_found = True
    return has_found
