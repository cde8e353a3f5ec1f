"""One process of the web server: the app, which ends when its server is gone."""

import os
import signal
import threading
import time

from flask import Flask

from service.app import create_app
from service.config import Settings
from service.logs import configure_logs

_LOOK_SECONDS = 1.0


def make_app() -> Flask:
    """What granian calls in each of its processes: the settings come from the environment."""
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    _end_with(os.getppid())
    return create_app(settings)


def _end_with(server: int) -> None:
    """Stop this process in order when its server is killed: it would serve on, and keep the port."""
    main = threading.main_thread().ident

    def watch() -> None:
        while os.getppid() == server:
            time.sleep(_LOOK_SECONDS)
        if main is not None:
            # To the main thread, which waits for signals.
            signal.pthread_kill(main, signal.SIGTERM)

    threading.Thread(target=watch, name="server-watch", daemon=True).start()
