"""The worker's composition root: the Celery app, its settings each with a reason, and what starts beside it."""

import os
from pathlib import Path
from typing import Any

import billiard.pool
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready
from kombu import Queue as KombuQueue

from service.config import Settings
from service.dispatch import ROUTES, EntryPoint, Queue
from service.logs import configure_logs
from tasks.poller import start_poller

READY_FILE_VARIABLE = "WHARF_WORKER_READY_FILE"

_TIDY_SECONDS = 300

_BROKER_OPTIONS: dict[str, Any] = {
    # Without these a half-open connection hangs the worker for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 5,
    # Only messages that nobody began are left unacknowledged; give them to another worker soon.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}


def celery_options(settings: Settings) -> dict[str, Any]:
    """Every Celery setting that differs from its default, and why."""
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": _BROKER_OPTIONS,
        # A broker that is away is waited for, however long.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # The rows in PostgreSQL are the answer: no second truth, nothing that grows.
        "result_backend": None,
        "task_ignore_result": True,
        # No pickle: who can write to the broker can at worst make a worker look at a row.
        "task_serializer": "json",
        "accept_content": ["json"],
        # Leases and the sweep recover what is lost; a late acknowledgement only adds redeliveries.
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        # A broker that restarts must not kill the work in hand.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # No message waits behind a long import in one process while another is idle.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        # A misspelt queue must not be made and then never read.
        "task_create_missing_queues": False,
        "task_queues": [KombuQueue(queue) for queue in Queue],
        "task_default_queue": Queue.UPKEEP,
        "task_routes": {entry_point: {"queue": queue} for entry_point, queue in ROUTES.items()},
        # Flower shows workers and their work from these events.
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "beat_schedule": {
            "sweep": {
                "task": EntryPoint.SWEEP,
                "schedule": settings.reap_seconds,
                "options": {"expires": 30},
            },
            "tidy_buckets": {
                "task": EntryPoint.TIDY_BUCKETS,
                "schedule": _TIDY_SECONDS,
                "options": {"expires": _TIDY_SECONDS},
            },
        },
        # The schedule is in the code; beat's own memory of it need not outlive the process.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_max_loop_interval": settings.reap_seconds,
    }


# After a warm shutdown a pool process waits for its parent to read its last results, for 30 s where the
# parent has stopped reading (measured: 13 of 16 stops of a busy worker). Our results say nothing: 2 s do.
billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 20

settings = Settings.from_environment()
app = Celery("wharf", include=["tasks.imports", "tasks.exports", "tasks.upkeep"])
app.conf.update(celery_options(settings))


@setup_logging.connect
def _configure_logs(**_kwargs: Any) -> None:
    configure_logs(settings.log_level)


@worker_init.connect
def _start_poller(**_kwargs: Any) -> None:
    """One process of the worker asks SQL for work, so that tasks run with the broker gone."""
    start_poller()


@worker_ready.connect
def _tell_ready(**_kwargs: Any) -> None:
    """Whoever started the worker may wait for this file."""
    if path := os.environ.get(READY_FILE_VARIABLE):
        Path(path).touch()
