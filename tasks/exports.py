"""Entry point of exports."""

from service.dispatch import EntryPoint
from service.exports.run import run_export
from tasks.base import entry_point
from tasks.workbench import workbench


@entry_point(EntryPoint.EXPORT)
def export_task(task_id: str) -> None:
    """A nudge: this task may be due."""
    run_export(workbench(), task_id)
