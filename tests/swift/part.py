"""Swift with its S3 API for tests: a second S3 server, by other people and stricter than the one of `wharf up`."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from service.stack.checks import ask_http
from service.stack.folder import StackFolder, lock_folder, open_folder
from service.stack.launcher import MarkedLauncher
from service.stack.part import Part
from service.stack.ports import HOST, is_port_free, random_ports
from service.stack.supervisor import Supervisor
from tests.environments import UnavailableError, make_python

_HERE = Path(__file__).parent
_ACCOUNT, _USER = "wharf", "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swift:
    """One Swift over `<folder>/swift` with one key pair and no buckets; path style only."""

    folder: StackFolder
    python: Path
    port: int
    secret_access_key: str = field(repr=False)
    access_key_id: str = f"{_ACCOUNT}:{_USER}"

    def settings(self) -> Mapping[str, str]:
        """The `WHARF_…` variables by which Wharf reaches it."""
        return {
            "WHARF_S3_ENDPOINT": f"http://{HOST}:{self.port}",
            "WHARF_S3_REGION": "us-east-1",
            "WHARF_S3_BUCKET": "wharf",
            "WHARF_S3_ACCESS_KEY_ID": self.access_key_id,
            "WHARF_S3_SECRET_ACCESS_KEY": self.secret_access_key,
            "WHARF_S3_PATH_STYLE": "true",
        }

    def part(self) -> Part:
        """The part for the supervisor."""
        given = {
            "folder": str(self.folder.folder("swift")),
            "port": self.port,
            "account": _ACCOUNT,
            "user": _USER,
            "secret": self.secret_access_key,
        }
        return Part(
            name="swift",
            # -P: this folder, which has Swift's name, is not Swift.
            command=(str(self.python), "-P", str(_HERE / "server.py")),
            environment={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=json.dumps(given).encode(),
            is_ready=lambda: ask_http(self.port, "/healthcheck") == HTTPStatus.OK,
        )


@contextmanager
def run_swift(path: Path) -> Iterator[Swift]:
    """Run it in `path` while the block lasts; when this process is killed, it ends too. Raises UnavailableError."""
    _require_attributes(path)
    python = make_python(_HERE / "swift-2.38.3.txt", "--only-binary", ":all:")
    folder = open_folder(path)
    swift = Swift(folder=folder, python=python, port=_free_port(), secret_access_key=secrets.token_urlsafe(24))
    with lock_folder(folder) as lock, MarkedLauncher(folder, [swift.part()], lock=lock) as launcher:
        supervisor = Supervisor([swift.part()], launcher)
        try:
            supervisor.start()
            yield swift
        finally:
            supervisor.stop()


def _require_attributes(path: Path) -> None:
    """Swift keeps what it knows of an object in the extended attributes of its file."""
    try:
        os.setxattr(path, "user.wharf", b"1")
        os.removexattr(path, "user.wharf")
    except OSError as error:
        raise UnavailableError(f"the file system of {path} has no extended attributes") from error


def _free_port() -> int:
    return next(port for port in random_ports() if is_port_free(HOST, port))
