"""Tasks for tests, submitted as the API submits them."""

from uuid import uuid4

from schemas.vocabulary import EntityType, FileType, TaskType
from service.db.models import Scope, Task
from service.tracking.lifecycle import NewTask, submit_task
from service.tracking.workbench import Workbench


def submit_import(bench: Workbench, scope: Scope, entity: EntityType, content: str | bytes) -> Task:
    """An import of these bytes, uploaded already."""
    key = f"uploads/{uuid4().hex}"
    body = content.encode() if isinstance(content, str) else content
    bench.store.put(key, body, "text/csv", {})
    new = NewTask(TaskType.IMPORT, entity, FileType.CSV, upload_id="upload_test", source_key=key)
    return submit(bench, scope, new)


def submit_export(bench: Workbench, scope: Scope, entity: EntityType) -> Task:
    """An export of everything in the scope."""
    return submit(bench, scope, NewTask(TaskType.EXPORT, entity, FileType.CSV))


def submit(bench: Workbench, scope: Scope, new: NewTask) -> Task:
    """Record a task."""
    with bench.sessions.begin() as session:
        return submit_task(session, scope.id, new, bench.settings.max_attempts, "user_test")


def reload(bench: Workbench, task: Task) -> Task:
    """The task as it is now."""
    with bench.sessions() as session:
        return session.get_one(Task, task.id)
