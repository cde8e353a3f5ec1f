"""The poller: one process of each worker that asks SQL for work, so that no message has to arrive.

It sweeps like beat does, and while the broker takes no messages it runs what is due itself.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from threading import Event

import structlog

from service.exports.run import run_export
from service.imports.run import run_import_step
from service.logs import configure_logs
from service.sweep import sweep
from service.tracking.settle import log_failure
from service.tracking.workbench import Workbench
from tasks.workbench import workbench

_log = structlog.get_logger(__name__)


def start_poller() -> None:
    """Start it beside the worker, before that has connections or threads; it ends when the worker is gone."""
    get_context("fork").Process(target=_main, args=(os.getpid(),), name="poller", daemon=True).start()


def poll(bench: Workbench, stopping: Event, parent: int) -> None:
    """Sweep until told to stop or left alone."""

    def goes_on() -> bool:
        return not stopping.is_set() and os.getppid() == parent

    while not stopping.wait(bench.settings.reap_seconds) and goes_on():
        try:
            if not sweep(bench):
                _run_what_is_due(bench, goes_on)
        except Exception as error:  # noqa: BLE001  # nobody starts this process again while the worker lives
            log_failure("poll_failed", error)


def _run_what_is_due(bench: Workbench, goes_on: Callable[[], bool]) -> None:
    """The broker is away: work through what is due, as a worker would."""
    _log.warning("broker_away")
    while goes_on() and (run_import_step(bench) or run_export(bench)):
        pass


def _main(parent: int) -> None:
    """Poll until SIGTERM, or until the worker that started this process is gone."""
    stopping = Event()
    # Ctrl-C reaches every process of a terminal; the worker decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    bench = workbench()
    configure_logs(bench.settings.log_level)
    poll(bench, stopping, parent)
