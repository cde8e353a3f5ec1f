"""The six operations of the Tasks API."""

from typing import Any

from flask import Response, jsonify, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from schemas import tasks as bodies
from schemas.errors import ErrorSchema
from schemas.vocabulary import TaskState, TaskType
from service.access import Principal
from service.api.auth import reads, writes
from service.api.blueprint import Blueprint
from service.api.bodies import result_body, run_body, task_body
from service.api.context import context
from service.api.links import export_link
from service.api.listing import list_tasks
from service.api.new_tasks import task_to_submit
from service.db.models import Task
from service.errors import NotFoundError, NotImplementedYetError, ValidationError
from service.tracking.counters import current_counters
from service.tracking.lifecycle import find_task, submit_task
from service.tracking.status import change_status

blueprint = Blueprint(
    "tasks",
    __name__,
    url_prefix="/v1/tasks",
    description="Imports and exports, tracked",
)

_POLL_AFTER_SECONDS = "1"
_STARTED = "task processing workflow started successfully"


@blueprint.get("")
@reads
@blueprint.arguments(bodies.TaskFilterSchema, location="query")
@blueprint.response(200, bodies.TaskPageSchema)
@blueprint.alt_response(400, schema=ErrorSchema)
def get_tasks(principal: Principal, wanted: dict[str, Any]) -> dict[str, Any]:
    """List tasks, newest first unless asked otherwise."""
    with context().sessions() as session:
        tasks, pagination = list_tasks(session, principal.scope_id, wanted)
        return {"items": _shown(session, tasks, principal), "pagination": pagination}


@blueprint.post("")
@writes
@blueprint.arguments(bodies.NewTaskSchema)
@blueprint.response(202, bodies.TaskSchema)
@blueprint.alt_response(200, schema=bodies.WorkflowSchema, description="Created from an upload")
@blueprint.alt_response(400, schema=ErrorSchema)
def create_task(principal: Principal, body: dict[str, Any]) -> tuple[Any, int, dict[str, str]] | Response:
    """Create a task: 202 with the task, or 200 with its run when the body names an upload."""
    here = context()
    with here.sessions.begin() as session:
        new = task_to_submit(session, principal, body, here.settings)
        task = submit_task(
            session,
            principal.scope_id,
            new,
            here.settings.max_attempts,
            principal.user_id,
        )
    here.dispatcher.dispatch(task.id, new.task_type)
    headers = {
        "Location": url_for("tasks.get_task", task_id=task.id),
        "Retry-After": _POLL_AFTER_SECONDS,
    }
    if body["upload_id"]:
        return _json(bodies.WorkflowSchema().dump(run_body(task, _STARTED)), headers)
    with here.sessions() as session:
        return _shown(session, [task], principal)[0], 202, headers


@blueprint.get("/result")
@reads
@blueprint.arguments(bodies.WorkflowQuerySchema, location="query")
@blueprint.response(200, bodies.ResultSchema)
@blueprint.alt_response(400, schema=ErrorSchema)
@blueprint.alt_response(404, schema=ErrorSchema)
def get_task_result(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """What a task came to, found by its workflow_id or its own id."""
    if not query["workflow_id"]:
        message = "Workflow ID is required"
        raise ValidationError(message, workflow_id=["Name the workflow_id, or the id, of a task."])
    with context().sessions() as session:
        task = _find_run(session, principal, query["workflow_id"])
        counters = current_counters(session, [task])[task.id]
    exported = task.task_type == TaskType.EXPORT and task.state == TaskState.COMPLETED
    link = export_link(context(), task) if exported else None
    return result_body(task, counters, f"task is {task.state}", link)


@blueprint.route("/scheduled", methods=["GET", "POST"])
@blueprint.response(501, ErrorSchema)
def scheduled() -> None:
    """Schedules are not built yet."""
    message = "Scheduled tasks are not implemented yet; create an EXPORT task each time"
    raise NotImplementedYetError(message)


@blueprint.get("/<task_id>")
@reads
@blueprint.response(200, bodies.TaskSchema)
@blueprint.alt_response(404, schema=ErrorSchema)
def get_task(principal: Principal, task_id: str) -> dict[str, Any]:
    """One task, with the counters of this moment."""
    with context().sessions() as session:
        return _shown(session, [find_task(session, principal.scope_id, task_id)], principal)[0]


@blueprint.get("/<task_id>/download")
@reads
@blueprint.response(200, bodies.DownloadSchema)
@blueprint.alt_response(400, schema=ErrorSchema)
@blueprint.alt_response(404, schema=ErrorSchema)
def download_task_export(principal: Principal, task_id: str) -> dict[str, str]:
    """A link to the finished export, good for half an hour unless the settings say otherwise."""
    with context().sessions() as session:
        task = find_task(session, principal.scope_id, task_id)
    if task.task_type == TaskType.IMPORT:
        message = "File URL must start with s3://"
        raise ValidationError(message, task_type=task.task_type, remedy="only exports can be downloaded")
    if task.state != TaskState.COMPLETED:
        message = "Task export has not completed yet or failed"
        raise NotFoundError(message, task_id=task_id, task_status=task.state)
    return {"download_url": export_link(context(), task)}


@blueprint.put("/<task_id>/status")
@writes
@blueprint.arguments(bodies.StatusChangeSchema)
@blueprint.response(200, bodies.MessageSchema)
@blueprint.alt_response(400, schema=ErrorSchema)
@blueprint.alt_response(404, schema=ErrorSchema)
def update_task_status(principal: Principal, body: dict[str, Any], task_id: str) -> dict[str, str]:
    """Change the state: PROCESSING runs the task (again), FAILED stops it."""
    here = context()
    with here.sessions.begin() as session:
        task = change_status(
            session,
            principal.scope_id,
            task_id,
            body["task_status"],
            principal.user_id,
            here.settings.max_attempts,
        )
    if task.state == TaskState.PROCESSING:
        here.dispatcher.dispatch(task.id, TaskType(task.task_type))
    return {"message": "task status updated successfully"}


def _shown(session: Session, tasks: list[Task], principal: Principal) -> list[dict[str, Any]]:
    counters = current_counters(session, tasks)
    return [task_body(task, counters[task.id], principal) for task in tasks]


def _find_run(session: Session, principal: Principal, name: str) -> Task:
    task = session.scalar(
        select(Task).where(
            Task.scope_id == principal.scope_id,
            or_(Task.workflow_id == name, Task.id == name),
        )
    )
    if task is None:
        message = "Task not found"
        raise NotFoundError(message, workflow_id=name)
    return task


def _json(body: dict[str, Any], headers: dict[str, str]) -> Response:
    """A ready answer, for the one route with two kinds of success."""
    response = jsonify(body)
    response.headers.extend(headers)
    return response
