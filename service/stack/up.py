"""`wharf up`: the whole embedded stack in the foreground, until somebody asks it to stop."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.errors import ConfigurationError
from service.stack.application import FLOWER_USER, Application
from service.stack.credentials import Credentials
from service.stack.files import write_object
from service.stack.folder import StackFolder, lock_folder, open_folder
from service.stack.launcher import MarkedLauncher
from service.stack.part import Part
from service.stack.ports import HOST, choose_ports
from service.stack.servers import Servers, load_servers
from service.stack.signals import StopSignals
from service.stack.supervisor import Supervisor
from service.stack.warden import end_processes

# Sees to it that the key exists in the database; gives its tenant's and its environment's id.
EnsureKey = Callable[[str, str], tuple[str, str]]

_STOPPED_EARLY = 1
PART_NAMES = ("valkey", "s3", "postgres", "migrate", "web", "worker", "beat", "flower")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """What the person asked for. `port` None: the one kept in the folder, else 8080, else a free one."""

    folder: Path
    port: int | None = None
    workers: int = 2
    ready_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAddresses:
    """What the ready file holds: how to reach each part of the stack that is up."""

    api_url: str
    api_key: str = field(repr=False)
    tenant_id: str
    environment_id: str
    dashboard_url: str
    flower_url: str
    flower_user: str
    flower_password: str = field(repr=False)
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    s3_endpoint: str
    pid: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The stack before it is started."""

    servers: Servers
    application: Application
    credentials: Credentials

    def parts(self) -> list[Part]:
        """All parts in the order of their start."""
        return [*self.servers.parts(), *self.application.parts()]

    def addresses(self, tenant_id: str, environment_id: str) -> StackAddresses:
        """Where everything is."""
        web = f"http://{self.application.reachable_host}:{self.application.ports.web}"
        return StackAddresses(
            api_url=f"{web}/v1",
            api_key=self.credentials.api_key,
            tenant_id=tenant_id,
            environment_id=environment_id,
            dashboard_url=f"{web}/",
            flower_url=f"http://{HOST}:{self.application.ports.flower}/",
            flower_user=FLOWER_USER,
            flower_password=self.credentials.flower_password,
            database_url=self.servers.postgres.url(),
            broker_url=self.servers.valkey.url(),
            s3_endpoint=self.servers.s3.endpoint,
            pid=os.getpid(),
        )


def make_plan(folder: StackFolder, options: StackOptions) -> Plan:
    """Choose ports, load passwords, and lay out the parts.

    Raises ConfigurationError for a port asked for that is taken, and for damaged files.
    """
    web_host = options.environment.get("WHARF_HOST") or HOST
    ports = choose_ports(folder.ports, web_host=web_host, web_port=options.port)
    servers, credentials = load_servers(folder, ports)
    application = Application(
        folder=folder,
        ports=ports,
        settings=servers.settings(),
        environment=options.environment,
        flower_password=credentials.flower_password,
        web_host=web_host,
        worker_processes=options.workers,
    )
    return Plan(servers, application, credentials)


def run_stack(
    options: StackOptions,
    *,
    ensure_key: EnsureKey,
    tell: Callable[[str], None] = print,
    list_parts: Callable[[Plan], list[Part]] = Plan.parts,
) -> int:
    """Run the stack until asked to stop; from the main thread only.

    Gives 0 after an ordered stop, 1 when asked to stop before it was ready. Raises ConfigurationError for a folder,
    port or file that cannot be used, PartFailedError when a part gives up; everything is stopped by then.
    """
    folder = open_folder(options.folder)
    with lock_folder(folder) as lock, StopSignals() as signals:
        _clear_ready_file(options.ready_file)
        # Before the ports are chosen: what an earlier stack left may hold them.
        end_processes(folder.path, PART_NAMES)
        plan = make_plan(folder, options)
        parts = list_parts(plan)
        with MarkedLauncher(folder, parts, lock=lock) as launcher:
            supervisor = Supervisor(parts, launcher, wait=signals.wait, tell=tell)
            tell(f"Starting the stack in {folder.path}; logs are in {folder.logs}")
            try:
                if not supervisor.start(signals.should_stop):
                    return _STOPPED_EARLY
                addresses = plan.addresses(*ensure_key(plan.servers.postgres.url(), plan.credentials.api_key))
                _announce(addresses, options.ready_file, tell)
                supervisor.watch(signals.should_stop)
                return 0
            finally:
                _clear_ready_file(options.ready_file)
                tell("Stopping (once more Ctrl-C hurries it)")
                supervisor.stop(signals.should_hurry)


def _clear_ready_file(path: Path | None) -> None:
    """Remove it; at the start too, where a killed stack left it. Raises ConfigurationError where it cannot be there."""
    if path is None:
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The ready file {path} cannot be written: {error.strerror}.") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(f"The ready file {path} cannot be written: its folder is missing or closed.")


def _announce(addresses: StackAddresses, ready_file: Path | None, tell: Callable[[str], None]) -> None:
    """Show people where to go, and programs the same in the ready file."""
    tell(f"Dashboard  {addresses.dashboard_url}")
    tell(f"API        {addresses.api_url}   key {addresses.api_key}")
    tell(f"Flower     {addresses.flower_url}   user {addresses.flower_user}, password {addresses.flower_password}")
    tell("Ctrl-C stops the stack; its data stays for the next start.")
    if ready_file is not None:
        write_object(ready_file, asdict(addresses))
