"""Entry point of imports."""

from celery import shared_task

from service.dispatch import EntryPoint
from service.imports.run import run_imports
from tasks.workbench import workbench


@shared_task(name=EntryPoint.IMPORT)
def import_task(task_id: str) -> None:
    """A nudge: there may be something to do for this task, and for others."""
    run_imports(workbench(), task_id)
