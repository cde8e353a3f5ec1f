"""Entry point of upkeep, sent by beat."""

from celery import shared_task

from service.dispatch import EntryPoint
from service.sweep import sweep
from tasks.workbench import workbench


@shared_task(name=EntryPoint.SWEEP)
def sweep_task() -> None:
    """Look for what was left behind."""
    sweep(workbench())
