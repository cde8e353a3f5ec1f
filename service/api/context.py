"""What a request handler has at hand, put into the app when it is built."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from service.config import Settings
from service.db.session import Sessions
from service.dispatch import Dispatcher
from service.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Context:
    """The settings, tables, bucket and queues of one web process."""

    settings: Settings
    sessions: Sessions
    store: ObjectStore
    dispatcher: Dispatcher


def context() -> Context:
    """The context of the app that handles the current request."""
    return cast("Context", current_app.extensions["wharf"])
