"""Imports of plans: the very bytes that a dry run has checked."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.vocabulary import TaskState, TaskType
from service.api.given import refuse_dialect
from service.db.models import Task
from service.errors import ValidationError
from service.tracking.lifecycle import NewTask


def follow_plan(session: Session, scope_id: int, new: NewTask) -> NewTask:
    """The task with the source and the options of its plan; options of its own replace those.

    Raises ValidationError when the plan is no completed dry run of the scope, or was about something else.
    """
    plan = session.scalar(select(Task).where(Task.id == new.plan_id, Task.scope_id == scope_id))
    if plan is None:
        told = f"{new.plan_id!r:.150} is unknown; create a task with the option dry_run, and name its plan_id."
        raise ValidationError("invalid plan_id", plan_id=[told])
    _check_plan(plan, new)
    refuse_dialect(new.options, plan.options, "The dry run has read the bytes in its own way")
    kept = {name: value for name, value in (plan.options or {}).items() if name != "dry_run"}
    return replace(
        new,
        file_url=plan.file_url,
        connection_id=plan.connection_id,
        upload_id=plan.upload_id,
        file_name=new.file_name or plan.file_name,
        options={**kept, **(new.options or {})} or None,
    )


def _check_plan(plan: Task, new: NewTask) -> None:
    message = "invalid plan_id"
    if plan.task_type != TaskType.IMPORT or not (plan.options or {}).get("dry_run"):
        told = f"{plan.id!r} was no dry run; create a task with the option dry_run, and name its plan_id."
        raise ValidationError(message, plan_id=[told])
    if plan.state != TaskState.COMPLETED:
        told = f"The dry run {plan.id!r} is {plan.state}; it can be loaded when it is COMPLETED."
        raise ValidationError(message, plan_id=[told])
    for name, asked, checked in (
        ("entity_type", new.entity_type, plan.entity_type),
        ("file_type", new.file_type, plan.file_type),
    ):
        if asked != checked:
            told = f"The dry run {plan.id!r} was about {checked}, not {asked}; send {checked}, or another plan."
            raise ValidationError(message, **{name: [told]})
