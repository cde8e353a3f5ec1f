"""Swift with its S3 API as one process: its account, container and object servers and the proxy before them.

Run by the Python of Swift's own environment. Standard input is a JSON object: the folder for everything that is kept,
the port of the S3 API, and its key pair (account, user, secret).
"""

import json
import os
import socket
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
_DEVICE = "disk"
# One copy on one disk, in 16 partitions.
_PARTITIONS = 16
_PART_SHIFT = 28

# Swift adds what it cannot do without; nothing here keeps a log or counts anything.
_PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats memory s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
object_chunk_size = 1048576
client_chunk_size = 1048576
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:memory]
paste.filter_factory = server:remember
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
# What S3 itself takes; Swift's own limits are lower.
max_upload_part_num = 10000
dns_compliant_bucket_names = true
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
# Long objects are read as fast as short ones.
rate_limit_after_segment = 10000
"""


def main() -> None:
    """Serve until somebody ends the process."""
    given = json.load(sys.stdin)
    folder = Path(given["folder"])
    # Names are looked up by the system, which needs no threads of eventlet's.
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    # Its filter is found by this name.
    sys.modules["server"] = sys.modules["__main__"]
    utils = import_module("swift.common.utils")
    utils.monkey_patch()
    listeners = {name: _listen(0) for name in ("account", "container", "object")}
    _write_cluster(folder, {name: listener.getsockname()[1] for name, listener in listeners.items()})
    utils.set_swift_dir(str(folder))
    for name, listener in listeners.items():
        _serve(listener, _make_backend(name, folder))
    wsgi = import_module("swift.common.wsgi")
    proxy = wsgi.loadapp(wsgi.ConfigString(_PROXY.format(**given)))
    _serve(_listen(given["port"]), proxy).wait()


class Memory:
    """What Swift asks of memcached, as far as it asks here: a dictionary of its own."""

    def __init__(self) -> None:
        """It starts empty."""
        self._kept: dict[str, Any] = {}

    def get(self, key: str, raise_on_error: bool = False) -> Any:  # noqa: FBT002  # Swift's own signature
        """What is kept under a key, or None."""
        del raise_on_error
        return self._kept.get(key)

    def set(self, key: str, value: Any, **_options: Any) -> None:
        """Keep a value; Swift itself deletes what it has changed."""
        self._kept[key] = value

    def delete(self, key: str, server_key: str | None = None) -> None:
        """Forget a key."""
        del server_key
        self._kept.pop(key, None)


def remember(_global_settings: dict[str, str], **_settings: str) -> Any:
    """The filter that gives every request the same memory: without it, each asks for its bucket on disk."""
    memory = Memory()

    def wrap(app: Any) -> Any:
        def handle(environment: dict[str, Any], start_response: Any) -> Any:
            environment["swift.cache"] = memory
            return app(environment, start_response)

        return handle

    return wrap


def _listen(port: int) -> Any:
    listener = import_module("eventlet").listen((HOST, port), backlog=128)
    # Answers of two small packets must not wait for an acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _write_cluster(folder: Path, ports: dict[str, int]) -> None:
    """The files by which the proxy finds the three servers behind it."""
    (folder / _DEVICE).mkdir(parents=True, exist_ok=True)
    # Any constant will do: it only spreads names over partitions.
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n", encoding="utf-8")
    ring = import_module("swift.common.ring.ring")
    for name, port in ports.items():
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": _DEVICE, "ip": HOST, "port": port}
        data = ring.RingData([[0] * _PARTITIONS], [device], _PART_SHIFT)
        data.save(str(folder / f"{name}.ring.gz"))


def _make_backend(name: str, folder: Path) -> Any:
    """One of the servers behind the proxy."""
    settings = {
        "devices": str(folder),
        "swift_dir": str(folder),
        "mount_check": "false",
        # Whoever runs tests knows how full the disk is.
        "fallocate_reserve": "0",
        "log_requests": "false",
        "disk_chunk_size": "1048576",
        "network_chunk_size": "1048576",
    }
    module = "obj" if name == "object" else name
    return import_module(f"swift.{module}.server").app_factory(settings)


def _serve(listener: Any, app: Any) -> Any:
    """Serve in a green thread; gives it."""
    # Eventlet warns of what AWS's clients need: ETag, not Etag.
    warnings.filterwarnings("ignore", message="capitalize_response_headers is disabled")
    return import_module("eventlet").spawn(
        import_module("eventlet.wsgi").server,
        listener,
        app,
        import_module("swift.common.utils").NullLogger(),
        protocol=import_module("swift.common.http_protocol").SwiftHttpProtocol,
        capitalize_response_headers=False,
    )


if __name__ == "__main__":
    main()
