"""The web server: granian, each setting with its reason (docs/adr/0007-web-server.md)."""

import resource

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from service.config import Settings

_HEAD_MILLISECONDS = 10_000
_HEAD_MAX_BYTES = 64 * 1024
_CONNECTIONS_MAX = 8192
#: Beside its connections a process has files, sessions and sockets of its own.
_OTHER_FILES = 256
_GRACE_SECONDS = 30


def serve(settings: Settings, target: str = "service.web_process:make_app") -> None:
    """Serve `target`, the name of a function that makes an app, until SIGTERM or SIGINT."""
    _allow_open_files(_CONNECTIONS_MAX + _OTHER_FILES)
    Granian(
        target,
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        # Threads, since requests wait for SQL and the store more than they compute.
        blocking_threads=settings.web_threads,
        # These are connections, not requests: an idle or slow one costs a few kilobytes, but holds its place.
        backlog=4096,
        backpressure=_CONNECTIONS_MAX,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_MILLISECONDS, max_buffer_size=_HEAD_MAX_BYTES),
        # A worker that the kernel killed is replaced, as one of many.
        respawn_failed_workers=True,
        # Requests in hand are answered before a worker ends.
        workers_kill_timeout=_GRACE_SECONDS,
    ).serve()


def _allow_open_files(wanted: int) -> None:
    """Each connection is an open file, of which a process may often have 1,024 unless it asks for more."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    serve(Settings.from_environment())
