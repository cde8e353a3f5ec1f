"""What Wharf is compared with: the same SELECT or INSERT in Flask and SQLAlchemy, and nothing else.

No key is checked, no argument, no limit, and no body has a schema. The paths are Wharf's own.
"""

import os
from datetime import datetime
from typing import Any

from flask import Flask, Response, jsonify, request
from sqlalchemy import Select, create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from service.config import Settings
from service.db.models import Task
from service.ids import new_id, new_run_id
from service.web import serve

SCOPE_VARIABLE = "BENCHMARK_SCOPE_ID"

#: The columns that Wharf's answer is made of.
_SHOWN = (
    "id",
    "task_type",
    "entity_type",
    "scheduled_task_id",
    "workflow_id",
    "run_id",
    "file_url",
    "file_name",
    "file_type",
    "state",
    "phase",
    "source_bytes",
    "source_sha256",
    "source_format",
    "source_columns",
    "bytes_done",
    "total_records",
    "created_records",
    "updated_records",
    "skipped_records",
    "rejected_records",
    "error_code",
    "error_summary",
    "metadata_",
    "options",
    "plan_id",
    "parent_task_id",
    "object_manifest",
    "attempt",
    "started_at",
    "completed_at",
    "failed_at",
    "status",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
)


def make_app() -> Flask:
    """Build the app; called in each process of the server."""
    app = Flask("bare")
    engine = create_engine(
        os.environ["WHARF_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"),
        pool_size=int(os.environ["WHARF_WEB_THREADS"]),
    )
    sessions = sessionmaker(engine, expire_on_commit=False)
    scope_id = int(os.environ[SCOPE_VARIABLE])
    app.add_url_rule("/healthz", view_func=lambda: jsonify({"status": "ok"}))
    app.add_url_rule("/v1/tasks/<task_id>", "get", lambda task_id: _get(sessions, task_id))
    app.add_url_rule("/v1/tasks", "list", lambda: _list(sessions, scope_id))
    app.add_url_rule("/v1/tasks", "create", lambda: _create(sessions, scope_id), methods=["POST"])
    return app


def _get(sessions: sessionmaker[Session], task_id: str) -> Response:
    with sessions() as session:
        return jsonify(_body(session.get_one(Task, task_id)))


def _list(sessions: sessionmaker[Session], scope_id: int) -> Response:
    """The page; with `with_total` also the number of all matches, counted."""
    wanted = request.args
    matching = _match(select(Task), scope_id)
    page = matching.order_by(Task.created_at.desc(), Task.id.desc())
    with sessions() as session:
        tasks = session.scalars(page.limit(50).offset(int(wanted.get("offset", 0))))
        answer: dict[str, Any] = {"items": [_body(task) for task in tasks]}
        if "with_total" in wanted:
            answer["total"] = session.scalar(_match(select(func.count(Task.id)), scope_id))
        return jsonify(answer)


def _match(query: Select[Any], scope_id: int) -> Select[Any]:
    query = query.where(Task.scope_id == scope_id, Task.status == "published")
    if "task_status" in request.args:
        query = query.where(Task.state == request.args["task_status"])
    if "entity_type" in request.args:
        query = query.where(Task.entity_type == request.args["entity_type"])
    if "start_time" in request.args:
        query = query.where(Task.created_at >= datetime.fromisoformat(request.args["start_time"]))
    if "end_time" in request.args:
        query = query.where(Task.created_at <= datetime.fromisoformat(request.args["end_time"]))
    return query


def _create(sessions: sessionmaker[Session], scope_id: int) -> Response:
    wanted = request.get_json()
    with sessions.begin() as session:
        task = Task(
            id=new_id("task"),
            scope_id=scope_id,
            task_type=wanted["task_type"],
            entity_type=wanted["entity_type"],
            file_type=wanted["file_type"],
            workflow_id=new_id("wf_TaskProcessingWorkflow"),
            run_id=new_run_id(),
            final_attempt=5,
        )
        session.add(task)
    return jsonify({"id": task.id})


def _body(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in _SHOWN}


if __name__ == "__main__":
    serve(Settings.from_environment(), "benchmarks.api.bare:make_app")
