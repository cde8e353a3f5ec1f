"""Entry point of upkeep, sent by beat."""

from service.dispatch import EntryPoint
from service.sweep import sweep
from tasks.base import entry_point
from tasks.workbench import workbench


@entry_point(EntryPoint.SWEEP)
def sweep_task() -> None:
    """Look for what was left behind."""
    sweep(workbench())
