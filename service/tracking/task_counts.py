"""Counts of tasks that are kept as tasks change: reading them, and adding their changes up."""

from datetime import date
from functools import lru_cache

from sqlalchemy import BigInteger, Select, bindparam, cast, delete, func, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from service.db.models import TaskCount, TaskCountChange
from service.db.models.task_counts import GROUP_COLUMNS

#: One short transaction; at one sweep every two seconds far more than tasks change.
_ADDED_AT_ONCE = 20_000


def count_tasks_by_day(session: Session, scope_id: int, alike: dict[str, str]) -> dict[date, int]:
    """How many tasks of a scope were created on each day (UTC) and are `alike` in the columns it names.

    Exact in the caller's snapshot; days without any are left out, and the order is that of time.
    """
    days = session.execute(_tasks_by_day(tuple(alike)), {"scope_id": scope_id, **alike})
    return {day: tasks for day, tasks in days}  # noqa: C416  # a row is no pair to dict()


@lru_cache(maxsize=128)
def _tasks_by_day(names: tuple[str, ...]) -> Select[date, int]:
    """Built once for each set of columns: every list asks it."""
    groups = union_all(
        *(
            select(table.day, table.tasks).where(
                *(getattr(table, name) == bindparam(name) for name in ("scope_id", *names))
            )
            for table in (TaskCount, TaskCountChange)
        )
    ).subquery()
    tasks = cast(func.sum(groups.c.tasks), BigInteger)
    return select(groups.c.day, tasks).group_by(groups.c.day).having(tasks > 0).order_by(groups.c.day)


def add_up_changes(session: Session) -> None:
    """Add some of the changes to the counts and forget them, and forget the groups that were left empty.

    The caller commits. Any number may run side by side: changes that one has taken are skipped by the others, all take
    the groups in the same order, and what is empty is removed last and without waiting, so none waits for another in
    a circle.
    """
    session.execute(_ADD_UP)
    session.execute(delete(TaskCount).where(tuple_(*_GROUP).in_(_EMPTY)))


def _add_up() -> Insert:
    taken = (
        select(TaskCountChange.serial)
        .order_by(TaskCountChange.serial)
        .limit(_ADDED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    changes = (
        delete(TaskCountChange)
        .where(TaskCountChange.serial.in_(taken))
        .returning(*(getattr(TaskCountChange, name) for name in (*GROUP_COLUMNS, "tasks")))
        .cte()
    )
    group = [changes.c[name] for name in GROUP_COLUMNS]
    sums = select(*group, func.sum(changes.c.tasks)).group_by(*group).order_by(*group)
    sums_added = insert(TaskCount).from_select([*GROUP_COLUMNS, "tasks"], sums)
    return sums_added.on_conflict_do_update(
        index_elements=GROUP_COLUMNS, set_={"tasks": TaskCount.tasks + sums_added.excluded.tasks}
    )


_ADD_UP = _add_up()
_GROUP = [getattr(TaskCount, name) for name in GROUP_COLUMNS]
_EMPTY = select(*_GROUP).where(TaskCount.tasks == 0).with_for_update(skip_locked=True)
