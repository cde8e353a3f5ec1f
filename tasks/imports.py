"""Entry point of imports."""

from service.dispatch import EntryPoint
from service.imports.run import run_imports
from tasks.base import entry_point
from tasks.workbench import workbench


@entry_point(EntryPoint.IMPORT)
def import_task(task_id: str) -> None:
    """A nudge: there may be something to do for this task, and for others."""
    run_imports(workbench(), task_id)
