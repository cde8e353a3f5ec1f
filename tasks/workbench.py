"""One workbench for each process of a worker, made when it is first needed: after the fork."""

import os
import socket
from functools import cache

from service.config import Settings
from service.db.session import make_engine, make_sessions
from service.dispatch import CeleryDispatcher
from service.storage.s3 import S3ObjectStore
from service.tracking.callbacks import SqlCallbacks
from service.tracking.workbench import Workbench


@cache
def workbench() -> Workbench:
    """What this process has at hand; the parent never calls it, so no connection is shared by a fork."""
    settings = Settings.from_environment()
    sessions = make_sessions(make_engine(settings.database_url, "wharf-worker"))
    return Workbench(
        settings=settings,
        sessions=sessions,
        store=S3ObjectStore.from_settings(settings),
        dispatcher=CeleryDispatcher(settings.broker_url),
        callbacks=SqlCallbacks(sessions, settings.lease_seconds),
        worker=f"{socket.gethostname()}:{os.getpid()}",
    )
