"""Wharf's own parts of the embedded stack: migrations, web, worker, beat and Flower, run as their commands."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from service.stack.checks import ask_http
from service.stack.folder import StackFolder
from service.stack.part import Part
from service.stack.ports import HOST, Ports

FLOWER_USER = "wharf"
READY_FILE_VARIABLE = "WHARF_WORKER_READY_FILE"

_SERVERS = ("valkey", "s3", "postgres")
# Settings of libpq and Flower that would lead our parts elsewhere, or open what we close.
_NOT_OURS = ("PG", "FLOWER_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the parts need to know. `environment` is the person's own, which may add other `WHARF_…` settings."""

    folder: StackFolder
    ports: Ports
    settings: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    flower_password: str = field(repr=False)
    web_host: str = HOST
    worker_processes: int = 2

    @property
    def reachable_host(self) -> str:
        """The address by which this machine reaches the web part, which may listen on all addresses."""
        return {"0.0.0.0": HOST, "::": "[::1]"}.get(self.web_host, self.web_host)  # noqa: S104 - compared, not bound

    def parts(self) -> list[Part]:
        """Their parts: first the migrations alone, then the others together."""
        return [self._migrate(), self._web(), self._worker(), self._beat(), self._flower()]

    def _migrate(self) -> Part:
        return Part(
            name="migrate",
            command=_command("db", "upgrade"),
            environment=self._environment(),
            is_ready=lambda: False,
            once=True,
            after=_SERVERS,
            # A migration of big tables may take its time.
            start_seconds=600.0,
        )

    def _web(self) -> Part:
        host = self.reachable_host.strip("[]")
        return Part(
            name="web",
            command=_command("web"),
            environment=self._environment(),
            is_ready=lambda: ask_http(self.ports.web, "/healthz", host=host) == HTTPStatus.OK,
            after=("migrate", *_SERVERS),
            # The server's own: requests in hand are answered for 30 s.
            grace_seconds=35.0,
        )

    def _worker(self) -> Part:
        ready_file = self.folder.folder("run") / "worker.ready"
        return Part(
            name="worker",
            command=_command("worker", "--concurrency", str(self.worker_processes)),
            environment=self._environment() | {READY_FILE_VARIABLE: str(ready_file)},
            prepare=lambda: ready_file.unlink(missing_ok=True),
            is_ready=ready_file.exists,
            after=("migrate", *_SERVERS),
            grace_seconds=60.0,
        )

    def _beat(self) -> Part:
        return Part(
            name="beat",
            command=_command("beat"),
            environment=self._environment(),
            # It has no port to ask; should it end, it is started again.
            is_ready=lambda: True,
            after=("migrate", *_SERVERS),
        )

    def _flower(self) -> Part:
        return Part(
            name="flower",
            command=_command("flower"),
            environment=self._environment() | self._flower_settings(self.folder.folder("flower")),
            is_ready=self._is_flower_closed,
            after=("migrate", "valkey"),
        )

    def _flower_settings(self, folder: Path) -> dict[str, str]:
        """Flower's options as it reads them itself. Its database is a pickle, so it lies in a private folder."""
        return {
            "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{self.flower_password}",
            "FLOWER_ADDRESS": HOST,
            "FLOWER_PORT": str(self.ports.flower),
            "FLOWER_READ_ONLY": "true",
            "FLOWER_PERSISTENT": "true",
            "FLOWER_DB": str(folder / "flower"),
        }

    def _is_flower_closed(self) -> bool:
        """Whether it answers, and only with the password: it ignores options it does not know without a word."""
        return (
            ask_http(self.ports.flower, "/") == HTTPStatus.UNAUTHORIZED
            and ask_http(self.ports.flower, "/", user=FLOWER_USER, password=self.flower_password) == HTTPStatus.OK
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in self.environment.items() if not name.startswith(_NOT_OURS)}
        # The servers are here: a proxy for the outside must not be asked for them. requests reads both spellings.
        no_proxy = ",".join(filter(None, [kept.get("no_proxy") or kept.get("NO_PROXY"), HOST, "localhost"]))
        return {
            "PATH": os.defpath,
            **kept,
            **self.settings,
            "WHARF_SECRET_KEYS": self._secret_keys(kept),
            "WHARF_HOST": self.web_host,
            "WHARF_PORT": str(self.ports.web),
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            "PYTHONUNBUFFERED": "1",
        }

    def _secret_keys(self, kept: Mapping[str, str]) -> str:
        """The person's own keys come first: so the key of the folder can be left behind."""
        name = "WHARF_SECRET_KEYS"
        return ",".join(filter(None, [kept.get(name), self.settings.get(name)]))


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "service.cli", *words)
