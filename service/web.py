"""The web server's settings, each with its reason; gunicorn reads this module, and its processes call the factory.

The app's modules are imported here, in the parent, and so only once for all processes; the app itself,
with its engine, is made in each.
"""

from service.app import make_wsgi_app
from service.config import Settings

__all__ = ["make_wsgi_app"]

_settings = Settings.from_environment()

bind = f"{_settings.host}:{_settings.port}"
# Threads, since requests wait for SQL and the store more than they compute.
worker_class = "gthread"
workers = _settings.web_processes
threads = _settings.web_threads
# A file in memory: a slow disk must not look like a hung process.
worker_tmp_dir = "/dev/shm"  # noqa: S108  # gunicorn makes a file of its own there
# Its socket would lie in the home folder, one for all servers of the user.
control_socket_disable = True
