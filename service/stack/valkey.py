"""The embedded broker: Valkey, told everything on standard input so that its password is nowhere else."""

import os
from dataclasses import dataclass, field

from service.stack.binaries import find_valkey
from service.stack.checks import answers_redis
from service.stack.folder import StackFolder
from service.stack.part import Part
from service.stack.ports import HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """One Valkey that keeps its content in `<folder>/valkey`, with `durable` off for tests in memory only."""

    folder: StackFolder
    port: int
    password: str = field(repr=False)
    durable: bool = True

    def url(self, database: int = 0) -> str:
        """Where clients find one of its 16 databases."""
        return f"redis://:{self.password}@{HOST}:{self.port}/{database}"

    def part(self) -> Part:
        """The part for the supervisor; ConfigurationError where the program is missing."""
        return Part(
            name="valkey",
            command=(str(find_valkey()), "-"),
            environment={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=self._settings().encode(),
            is_ready=lambda: answers_redis(self.port, self.password),
        )

    def _settings(self) -> str:
        """Its configuration. A queue must not lose messages to make room, so a full memory refuses writes."""
        return f"""
bind {HOST}
port {self.port}
requirepass {self.password}
dir "{self.folder.folder("valkey")}"
daemonize no
save ""
appendonly {"yes" if self.durable else "no"}
appendfsync everysec
maxmemory-policy noeviction
"""
