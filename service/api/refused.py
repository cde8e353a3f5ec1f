"""What an import refused: why, the rows themselves, and another go at them."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from schemas import row_error_pages as pages
from schemas.new_tasks import RETRIES, RetrySchema, RetryScope
from schemas.tasks import WAITING_TASK, TaskSchema
from schemas.vocabulary import TaskState, TaskType
from service.access import Principal
from service.api.auth import reads, writes
from service.api.blueprint import Blueprint
from service.api.bodies import created_headers, task_body
from service.api.context import context
from service.api.document import CREATED, IDEMPOTENCY_KEY, error_name
from service.api.links import refused_link
from service.api.listing import page_length
from service.api.once import do_once
from service.api.retries import check_retry, plan_retry
from service.db.models import Task
from service.errors import NotFoundError
from service.idempotency import Answer
from service.tracking.counters import current_counters, stored_counters
from service.tracking.lifecycle import find_task, submit_task
from service.tracking.row_errors import count_refused_rows, list_row_errors

blueprint = Blueprint(
    "refused rows",
    __name__,
    url_prefix="/v1/tasks",
    description="What an import refused, why, and another go at it",
)

_RETRIED = {**WAITING_TASK, "file_url": "", "parent_task_id": "task_01KA2MZ8W6T3YB5F0QXHN9RJ4C"}


@blueprint.get("/<task_id>/errors")
@reads
@blueprint.arguments(pages.RowErrorFilterSchema, location="query")
@blueprint.response(200, pages.RowErrorPageSchema)
@blueprint.alt_response(404, error_name(404))
def get_row_errors(principal: Principal, wanted: dict[str, Any], task_id: str) -> Response:
    """List row errors.

    They come in the order of the file, also while the task runs. An export has none.
    """
    limit, offset = page_length(wanted["limit"]), max(wanted["offset"], 0)
    with context().sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        task = find_task(session, principal.scope_id, task_id)
        errors, total = list_row_errors(session, task.id, wanted["code"] or None, limit, offset)
        counts, kept = count_refused_rows(session, task.id)
        rejected = current_counters(session, [task])[task.id].rejected
    pagination = {"total": total, "limit": limit, "offset": wanted["offset"]}
    return jsonify({"items": errors, "pagination": pagination, "counts": counts, "kept": kept, "rejected": rejected})


@blueprint.get("/<task_id>/errors/download")
@reads
@blueprint.response(200, pages.RefusedRowsSchema)
@blueprint.alt_response(404, error_name(404))
def download_refused_rows(principal: Principal, task_id: str) -> Response:
    """Get a link to the refused rows.

    The file is like the source, with the columns `_wharf_row`, `_wharf_line`, `_wharf_code` and `_wharf_message` before
    the others. 404 means that the task has refused none, is not finished, or that the file is gone from the bucket.
    """
    with context().reads() as session:
        task = find_task(session, principal.scope_id, task_id)
    _check_refused(task)
    link, file_name = refused_link(context(), task)
    return jsonify({"download_url": link, "file_name": file_name})


@blueprint.post("/<task_id>/retry")
@writes
@blueprint.arguments(RetrySchema, examples=RETRIES)
@blueprint.doc(parameters=[IDEMPOTENCY_KEY])
@blueprint.response(202, TaskSchema, description="Created", headers=CREATED, example=_RETRIED)
@blueprint.alt_response(404, error_name(404))
@blueprint.alt_response(409, error_name(409))
def retry_task(principal: Principal, body: dict[str, Any], task_id: str) -> Response:
    """Do a finished import again.

    A new task does it, with this one as its `parent_task_id`. 400 means that this one is no import, is not finished, or
    has no refused rows.
    """
    here = context()

    def create(session: Session, scope: RetryScope) -> Answer:
        new = plan_retry(session, principal, task_id, scope, body)
        task = submit_task(session, principal.scope_id, new, here.settings.max_attempts, principal.user_id)
        return Answer(202, created_headers(task), task_body(task, stored_counters(task), principal))

    done = do_once(principal, lambda: check_retry(body), create)
    if not done.replayed:
        here.dispatcher.dispatch(done.answer.body["id"], TaskType.IMPORT)
    return done.response()


def _check_refused(task: Task) -> None:
    """Raise NotFoundError when there is no file of refused rows, or none yet."""
    if task.state in {TaskState.PENDING, TaskState.PROCESSING}:
        message = "The refused rows can be downloaded when the task is finished; until then read its errors"
        raise NotFoundError(message, task_id=task.id, task_status=task.state)
    if task.refused_key is None:
        raise NotFoundError("The task has refused no rows", task_id=task.id, task_status=task.state)
