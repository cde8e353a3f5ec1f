"""The six operations of the original Tasks API."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from schemas import tasks as bodies
from schemas.new_tasks import NEW_TASKS, NewTaskSchema
from schemas.vocabulary import TaskState, TaskType
from service.access import Principal
from service.api import listing
from service.api.auth import reads, writes
from service.api.blueprint import Blueprint
from service.api.bodies import created_headers, result_body, run_body, task_body
from service.api.context import context
from service.api.document import CREATED, IDEMPOTENCY_KEY, error_name
from service.api.links import export_links, result_link
from service.api.new_tasks import check_task, find_source, wants_run
from service.api.once import do_once
from service.db.models import Task
from service.errors import NotFoundError, ValidationError
from service.idempotency import Answer
from service.tracking.counters import current_counters, stored_counters
from service.tracking.lifecycle import NewTask, find_task, submit_task
from service.tracking.status import change_status

blueprint = Blueprint(
    "tasks",
    __name__,
    url_prefix="/v1/tasks",
    description="Imports and exports, tracked",
)

_STARTED = "task processing workflow started successfully"


def _links(task_id: str, workflow_id: str) -> dict[str, Any]:
    """Where to go on, for clients that are made from the document."""
    return {
        name: {"operationId": name, "parameters": parameters}
        for name, parameters in {
            "getTask": {"task_id": task_id},
            "downloadTaskExport": {"task_id": task_id},
            "updateTaskStatus": {"task_id": task_id},
            "getRowErrors": {"task_id": task_id},
            "downloadRefusedRows": {"task_id": task_id},
            "retryTask": {"task_id": task_id},
            "getTaskResult": {"workflow_id": workflow_id},
        }.items()
    }


_LINKS_BY_ID = _links("$response.body#/id", "$response.body#/workflow_id")
_LINKS_OF_RUN = _links("$response.body#/task_id", "$response.body#/workflow_id")


@blueprint.get("")
@reads
@blueprint.arguments(bodies.TaskFilterSchema, location="query")
@blueprint.response(200, bodies.TaskPageSchema)
def list_tasks(principal: Principal, wanted: dict[str, Any]) -> Response:
    """List tasks.

    The newest come first unless `sort` and `order` say otherwise.
    """
    with context().sessions() as session:
        tasks, pagination = listing.list_tasks(session, principal.scope_id, wanted)
        return jsonify({"items": _shown(session, tasks, principal), "pagination": pagination})


@blueprint.post("")
@writes
@blueprint.arguments(NewTaskSchema, examples=NEW_TASKS)
@blueprint.doc(parameters=[IDEMPOTENCY_KEY], responses={202: {"links": _LINKS_BY_ID}, 200: {"links": _LINKS_OF_RUN}})
@blueprint.response(202, bodies.TaskSchema, description="Created", headers=CREATED, example=bodies.WAITING_TASK)
@blueprint.alt_response(200, schema=bodies.WorkflowSchema, description="Created, from an `upload_id`", headers=CREATED)
@blueprint.alt_response(409, error_name(409))
def create_task(principal: Principal, body: dict[str, Any]) -> Response:
    """Create a task.

    The answer is 202 with the task, or 200 with its run when the body has an `upload_id` (beside a plan, an empty one).
    """
    here = context()

    def create(session: Session, new: NewTask) -> Answer:
        new = find_source(session, principal, new)
        task = submit_task(session, principal.scope_id, new, here.settings.max_attempts, principal.user_id)
        if wants_run(body, new):
            return Answer(200, created_headers(task), run_body(task, _STARTED))
        return Answer(202, created_headers(task), task_body(task, stored_counters(task), principal))

    done = do_once(principal, lambda: check_task(body, here.settings), create)
    if not done.replayed:
        task_id = done.answer.body.get("task_id") or done.answer.body["id"]
        here.dispatcher.dispatch(task_id, TaskType(body["task_type"]))
    return done.response()


@blueprint.get("/result")
@reads
@blueprint.arguments(bodies.WorkflowQuerySchema, location="query")
@blueprint.response(200, bodies.ResultSchema)
@blueprint.alt_response(404, error_name(404))
def get_task_result(principal: Principal, query: dict[str, Any]) -> Response:
    """Read what a task came to.

    It is found by its `workflow_id`, or by its own id. A finished export comes with its link, or
    `message` says why not.
    """
    if not query["workflow_id"]:
        message = "Workflow ID is required"
        raise ValidationError(message, workflow_id=["Name the workflow_id, or the id, of a task."])
    with context().reads() as session:
        task = _find_run(session, principal, query["workflow_id"])
        counters = current_counters(session, [task])[task.id]
    exported = task.task_type == TaskType.EXPORT and task.state == TaskState.COMPLETED
    link, told = result_link(context(), task) if exported else (None, "")
    message = f"task is {task.state}; {told}" if told else f"task is {task.state}"
    return jsonify(result_body(task, counters, message, link))


@blueprint.get("/<task_id>")
@reads
@blueprint.response(200, bodies.TaskSchema)
@blueprint.alt_response(404, error_name(404))
def get_task(principal: Principal, task_id: str) -> Response:
    """Read a task, with the counters of this moment."""
    with context().reads() as session:
        return jsonify(_shown(session, [find_task(session, principal.scope_id, task_id)], principal)[0])


@blueprint.get("/<task_id>/download")
@reads
@blueprint.response(200, bodies.DownloadSchema)
@blueprint.alt_response(404, error_name(404))
def download_task_export(principal: Principal, task_id: str) -> Response:
    """Get a link to a finished export.

    It serves ranges too, so a download that was cut off goes on where it stopped. An export that was cut into several
    files has a link to each in `files`, and `download_url` is that of its manifest. 400 means that the task is an
    import, 404 that the export is not finished, has failed, is gone from the bucket, or its connection was deleted.
    """
    with context().reads() as session:
        task = find_task(session, principal.scope_id, task_id)
    if task.task_type == TaskType.IMPORT:
        message = "File URL must start with s3://"
        raise ValidationError(message, task_type=task.task_type, remedy="only exports can be downloaded")
    if task.state != TaskState.COMPLETED:
        message = "Task export has not completed yet or failed"
        raise NotFoundError(message, task_id=task_id, task_status=task.state)
    return jsonify(export_links(context(), task))


@blueprint.put("/<task_id>/status")
@writes
@blueprint.arguments(bodies.StatusChangeSchema)
@blueprint.response(200, bodies.MessageSchema)
@blueprint.alt_response(404, error_name(404))
def update_task_status(principal: Principal, body: dict[str, Any], task_id: str) -> Response:
    """Change the state of a task.

    PROCESSING runs it (again) and goes on where it stopped, FAILED stops it. The states change from PENDING to
    PROCESSING or FAILED, from PROCESSING to COMPLETED or FAILED, and from FAILED to PROCESSING; else it is 400.
    """
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
    return jsonify({"message": "task status updated successfully"})


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
