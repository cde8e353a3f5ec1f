"""The three embedded servers together: for `wharf up`, and on their own for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.stack.credentials import Credentials, load_credentials
from service.stack.folder import StackFolder, lock_folder, open_folder
from service.stack.launcher import MarkedLauncher
from service.stack.part import Part
from service.stack.ports import Ports, choose_ports
from service.stack.postgres import Postgres
from service.stack.rclone import REGION, Rclone
from service.stack.supervisor import Supervisor
from service.stack.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Servers:
    """Broker, object store and database over one folder, and the key for secrets in it."""

    valkey: Valkey
    s3: Rclone
    postgres: Postgres
    secret_key: str = field(repr=False)

    def parts(self) -> tuple[Part, Part, Part]:
        """Their parts; none waits for another. Raises ConfigurationError where a program is missing."""
        return self.valkey.part(), self.s3.part(), self.postgres.part()

    def settings(self) -> dict[str, str]:
        """The `WHARF_…` variables by which Wharf's own parts reach them."""
        return {
            "WHARF_DATABASE_URL": self.postgres.url(),
            "WHARF_BROKER_URL": self.valkey.url(),
            "WHARF_S3_ENDPOINT": self.s3.endpoint,
            "WHARF_S3_REGION": REGION,
            "WHARF_S3_BUCKET": self.s3.bucket,
            "WHARF_S3_ACCESS_KEY_ID": self.s3.access_key_id,
            "WHARF_S3_SECRET_ACCESS_KEY": self.s3.secret_access_key,
            "WHARF_S3_PATH_STYLE": "true",
            "WHARF_SECRET_KEYS": self.secret_key,
        }


@dataclass(frozen=True, slots=True)
class RunningServers(Servers):
    """The servers with the supervisor that runs them: `stop_part("valkey")`, `start_part("valkey")`."""

    supervisor: Supervisor = field(repr=False)


def make_servers(folder: StackFolder, ports: Ports, credentials: Credentials, *, durable: bool = True) -> Servers:
    """The servers over `folder`; nothing is started."""
    return Servers(
        valkey=Valkey(folder=folder, port=ports.valkey, password=credentials.valkey_password, durable=durable),
        s3=Rclone(
            folder=folder,
            port=ports.s3,
            access_key_id=credentials.s3_access_key_id,
            secret_access_key=credentials.s3_secret_access_key,
        ),
        postgres=Postgres(folder=folder, port=ports.postgres, password=credentials.postgres_password, durable=durable),
        secret_key=credentials.secret_key,
    )


def load_servers(folder: StackFolder, ports: Ports, *, durable: bool = True) -> tuple[Servers, Credentials]:
    """The servers over `folder` with the passwords kept there; raises as load_credentials does."""
    holds_database = (folder.path / "postgres").exists()
    credentials = load_credentials(folder.credentials, holds_database=holds_database)
    return make_servers(folder, ports, credentials, durable=durable), credentials


@contextmanager
def run_servers(path: Path, *, durable: bool = False) -> Iterator[RunningServers]:
    """Run the three in `path` while the block lasts; when this process is killed, they end too.

    They are not watched: what a test kills stays dead until `supervisor.start_part`.
    """
    folder = open_folder(path)
    with lock_folder(folder) as lock:
        servers, _ = load_servers(folder, choose_ports(folder.ports), durable=durable)
        parts = servers.parts()
        with MarkedLauncher(folder, parts, lock=lock) as launcher:
            supervisor = Supervisor(parts, launcher)
            try:
                supervisor.start()
                yield RunningServers(servers.valkey, servers.s3, servers.postgres, servers.secret_key, supervisor)
            finally:
                supervisor.stop()
