"""Entry point of exports."""

from celery import shared_task

from service.dispatch import EntryPoint
from service.exports.run import run_export
from tasks.workbench import workbench


@shared_task(name=EntryPoint.EXPORT)
def export_task(task_id: str) -> None:
    """A nudge: this task may be due."""
    run_export(workbench(), task_id)
