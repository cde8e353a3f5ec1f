"""How many tasks there are, by everything that lists filter by: kept, so that no list has to count.

Each change of a task adds a change of its count in the same transaction, by a trigger: the numbers are exact for
whoever reads both tables, and no two writers wait for each other. Upkeep adds the changes to the counts
(docs/adr/0008-totals.md).
"""

from datetime import date
from typing import Annotated

from sqlalchemy import DDL, BigInteger, Identity, Index, Integer, PrimaryKeyConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from service.db.models.base import Base, Key

_ScopeColumn = Annotated[int, mapped_column(Integer)]
_WordColumn = Annotated[str, mapped_column(Key)]


class CountedGroup:
    """Tasks of one scope, created on one day (UTC), that look alike to every other filter.

    A task without schedule has the `scheduled_task_id` "".
    """

    scope_id: Mapped[_ScopeColumn]
    day: Mapped[date]
    task_type: Mapped[_WordColumn]
    entity_type: Mapped[_WordColumn]
    state: Mapped[_WordColumn]
    status: Mapped[_WordColumn]
    created_by: Mapped[_WordColumn]
    scheduled_task_id: Mapped[_WordColumn]
    tasks: Mapped[int]


#: The columns that name a group.
GROUP_COLUMNS = (
    "scope_id",
    "day",
    "task_type",
    "entity_type",
    "state",
    "status",
    "created_by",
    "scheduled_task_id",
)


class TaskCount(CountedGroup, Base):
    """How many tasks a group had when its changes were last added to it."""

    __tablename__ = "task_counts"
    __table_args__ = (
        PrimaryKeyConstraint(*GROUP_COLUMNS),
        Index("ix_task_counts_empty", "scope_id", postgresql_where=text("tasks = 0")),
    )


class TaskCountChange(CountedGroup, Base):
    """A task that came into a group (1) or left it (-1)."""

    __tablename__ = "task_count_changes"
    __table_args__ = (Index("ix_task_count_changes_scope_id_day", "scope_id", "day"),)

    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)


_TRIGGERS = DDL(  # type: ignore[no-untyped-call]
    """
CREATE FUNCTION record_task_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO task_count_changes
      (scope_id, day, task_type, entity_type, state, status, created_by, scheduled_task_id, tasks)
    VALUES (OLD.scope_id, (OLD.created_at AT TIME ZONE 'UTC')::date, OLD.task_type, OLD.entity_type, OLD.state,
            OLD.status, OLD.created_by, coalesce(OLD.scheduled_task_id, ''), -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO task_count_changes
      (scope_id, day, task_type, entity_type, state, status, created_by, scheduled_task_id, tasks)
    VALUES (NEW.scope_id, (NEW.created_at AT TIME ZONE 'UTC')::date, NEW.task_type, NEW.entity_type, NEW.state,
            NEW.status, NEW.created_by, coalesce(NEW.scheduled_task_id, ''), 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER count_tasks AFTER INSERT OR DELETE ON tasks
  FOR EACH ROW EXECUTE FUNCTION record_task_count_change();

CREATE TRIGGER recount_tasks AFTER UPDATE ON tasks FOR EACH ROW
  WHEN ((OLD.scope_id, OLD.created_at, OLD.task_type, OLD.entity_type, OLD.state, OLD.status, OLD.created_by,
         OLD.scheduled_task_id)
    IS DISTINCT FROM (NEW.scope_id, NEW.created_at, NEW.task_type, NEW.entity_type, NEW.state, NEW.status,
         NEW.created_by, NEW.scheduled_task_id))
  EXECUTE FUNCTION record_task_count_change();
"""
)

event.listen(Base.metadata, "after_create", _TRIGGERS)
