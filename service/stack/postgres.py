"""The embedded database: PostgreSQL 18, on 127.0.0.1 only, set for bulk loads and silent about rows."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from service.errors import ConfigurationError
from service.stack.binaries import POSTGRES_MAJOR, find_postgres
from service.stack.folder import StackFolder
from service.stack.identity import Identity, choose_identity
from service.stack.launcher import mark_environment
from service.stack.part import Part, PartFailedError
from service.stack.ports import HOST

USER = "wharf"
_NAME = "postgres"
_CONNECT_SECONDS = 2

_SETTINGS = {
    "listen_addresses": HOST,
    # No socket: its path may be too long under a deep folder, and clients have the port.
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "max_connections": "100",
    # Bulk loads: few, spread checkpoints; compressed pages; no WAL for what a crash drops anyway; no replicas here.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No row ever reaches the log. An ERROR's own text can quote a value (invalid input syntax: "…"), and it goes to
    # the client all the same, so the log begins at LOG, which PostgreSQL ranks above ERROR.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """One PostgreSQL over `<folder>/postgres`, with the database `database` from the first start on.

    The user is `wharf`, a superuser of this server, by password only. With `durable` off nothing is synced to disk.
    `identity` None: the first that works here.
    """

    folder: StackFolder
    port: int
    password: str = field(repr=False)
    database: str = "wharf"
    durable: bool = True
    identity: Identity | None = None

    @property
    def files(self) -> Path:
        """Where PostgreSQL keeps its files; there only once initdb has ended well."""
        return self.folder.path / _NAME

    def url(self, database: str | None = None) -> str:
        """Where clients (psql, SQLAlchemy, psycopg) find the database."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{database or self.database}"

    def part(self) -> Part:
        """The part for the supervisor; ConfigurationError where the program is missing or cannot be run."""
        program = find_postgres("postgres")
        identity = self.identity or choose_identity(program, self.folder.path)
        settings = _SETTINGS | ({} if self.durable else _THROW_AWAY) | {"port": str(self.port)}
        options = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        return Part(
            name=_NAME,
            command=(*identity.prefix, str(program), "-D", str(self.files), *options),
            environment=_environment(),
            prepare=lambda: self.prepare(identity),
            is_ready=self.is_ready,
            # Fast shutdown: sessions are ended, everything is written.
            stop_signal=signal.SIGINT,
            grace_seconds=30.0,
            # Recovery after a kill in the middle of a bulk load reads up to max_wal_size.
            start_seconds=120.0,
        )

    def prepare(self, identity: Identity) -> None:
        """Make the files at the first start, and check those of an earlier one. Safe to call twice.

        What a killed initdb left is made anew: it only gets its name once it is whole. Raises ConfigurationError for
        files of another major version or that are no database.
        """
        if not self.files.exists():
            self._make_files(identity)
        self._check_version()
        _give_to(self.files, identity.uid)

    def is_ready(self) -> bool:
        """Whether the server lets us in; makes the database when it is not there yet."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=_CONNECT_SECONDS, autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone()
                if known is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))
        except psycopg.OperationalError:
            return False
        return True

    def _make_files(self, identity: Identity) -> None:
        beside = self.folder.path / f"{_NAME}.new"
        shutil.rmtree(beside, ignore_errors=True)
        with self.folder.open_log(_NAME) as output:
            answer = subprocess.run(
                [*identity.prefix, *self._initdb(beside)],
                check=False,
                input=self.password.encode(),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=mark_environment(self.folder, _NAME, _environment()),
                start_new_session=True,
            )
        if answer.returncode != 0:
            shutil.rmtree(beside, ignore_errors=True)
            reason = f"could not make its files (initdb ended with status {answer.returncode})"
            raise PartFailedError.of(_NAME, reason, self.folder.log(_NAME))
        beside.rename(self.files)

    def _initdb(self, files: Path) -> list[str]:
        """The command. The built-in C.UTF-8 orders text by code point on every machine, whatever its libc has."""
        words = [str(find_postgres("initdb")), "-D", str(files), "--username", USER, "--pwfile", "/dev/stdin"]
        words += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]
        words += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        return words if self.durable else [*words, "--no-sync"]

    def _check_version(self) -> None:
        try:
            major = (self.files / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise ConfigurationError(
                f"{self.files} is no PostgreSQL database: its PG_VERSION cannot be read. "
                "Bring it back from a backup, or move it and secrets.json away to start with an empty database.",
            ) from error
        if major != POSTGRES_MAJOR:
            raise ConfigurationError(
                f"{self.files} was made by PostgreSQL {major}, and this is {POSTGRES_MAJOR}. Dump it with {major} "
                "(pg_dumpall), move it away, start again and load the dump; or choose another --data-dir.",
            )


def _environment() -> dict[str, str]:
    """Nothing of ours: a PGDATA or PGOPTIONS of the person at the keyboard must not reach the server."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8"}


def _give_to(folder: Path, uid: int) -> None:
    """Make `uid` the owner where an earlier start ran as another identity: PostgreSQL insists on owning its files."""
    if folder.stat().st_uid == uid or os.geteuid() != 0:
        return
    for parent, _, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent) / name for name in names)):
            os.chown(path, uid, -1, follow_symlinks=False)
