"""The command line: `wharf up` for everything on one machine, and each part for your own servers."""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from schemas.vocabulary import Role
from service import __version__
from service.access import ensure_scope, new_key, store_key
from service.config import Settings
from service.db.migrate import upgrade
from service.db.session import make_engine, make_sessions
from service.demo.run import run_demo
from service.dispatch import Queue
from service.errors import WharfError
from service.stack.up import StackOptions, run_stack
from service.storage.s3 import S3ObjectStore

DEFAULT_TENANT = "tenant_default"
DEFAULT_ENVIRONMENT = "env_default"


class WharfGroup(click.Group):
    """Commands whose expected errors are told in one line, not as a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WharfError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=WharfGroup)
@click.version_option(__version__, prog_name="wharf")
def main() -> None:
    """Imports files into PostgreSQL and exports tables to S3, as tracked tasks."""


@main.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("var/stack"),
    show_default=True,
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the API; without it a free one is kept.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Pool processes of the worker.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="Written when all is ready: JSON for programs.",
)
def up(data_dir: Path, port: int | None, workers: int, ready_file: Path | None) -> None:
    """Run everything on this machine until Ctrl-C; the data stays for the next time."""
    options = StackOptions(
        folder=data_dir, port=port, workers=workers, ready_file=ready_file
    )
    sys.exit(run_stack(options, ensure_key=_default_key, tell=click.echo))


def _default_key(database_url: str, api_key: str) -> tuple[str, str]:
    add_key(
        database_url,
        DEFAULT_TENANT,
        DEFAULT_ENVIRONMENT,
        api_key,
        "wharf up",
        Role.ADMIN,
    )
    return DEFAULT_TENANT, DEFAULT_ENVIRONMENT


@main.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("var/demo"),
    show_default=True,
)
def demo(data_dir: Path) -> None:
    """Import sample files on a stack of its own, export them back, and compare."""
    run_demo(data_dir, click.echo)


@main.command()
def web() -> None:
    """Serve the API."""
    settings = Settings.from_environment()
    _become(
        "gunicorn",
        "--bind", f"{settings.host}:{settings.port}",
        "--worker-class", "gthread",
        "--workers", str(settings.web_processes),
        "--threads", str(settings.web_threads),
        # A file in memory: a slow disk must not look like a hung process.
        "--worker-tmp-dir", "/dev/shm",
        # Its socket would lie in the home folder, one for all servers of the user.
        "--no-control-socket",
        "service.app:make_wsgi_app()",
    )  # fmt: skip


@main.command()
@click.option(
    "--concurrency", default=2, show_default=True, help="Number of pool processes."
)
@click.option(
    "--queues",
    default=",".join(Queue),
    show_default=True,
    help="Queues to consume, by comma.",
)
def worker(concurrency: int, queues: str) -> None:
    """Run imports, exports and upkeep."""
    _celery(
        "worker", "--pool", "prefork", "--concurrency", str(concurrency), "--queues", queues,
        # They bring nothing here, and gossip fails at every reconnection.
        "--without-gossip", "--without-mingle",
    )  # fmt: skip


@main.command()
def beat() -> None:
    """Send what is due by the clock."""
    _celery("beat", "--pidfile", "")


@main.command()
@click.option("--port", default=5555, show_default=True)
@click.option("--address", default="127.0.0.1", show_default=True)
def flower(port: int, address: str) -> None:
    """Show the workers; asks for the user and password of FLOWER_BASIC_AUTH, and never runs without."""
    if ":" not in os.environ.get("FLOWER_BASIC_AUTH", ""):
        message = "FLOWER_BASIC_AUTH must be set to user:password; Flower shows tasks to whoever can reach it"
        raise click.ClickException(message)
    _celery("flower", f"--port={port}", f"--address={address}", "--read-only=True")


@main.group()
def db() -> None:
    """The tables."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables to this version; safe to run again."""
    upgrade(Settings.from_environment().database_url)


@main.group()
def store() -> None:
    """The bucket."""


@store.command("prepare")
def store_prepare() -> None:
    """Make the bucket where it is missing, and let browsers upload to it; safe to run again."""
    S3ObjectStore.from_settings(Settings.from_environment()).ensure_bucket()


@main.group()
def keys() -> None:
    """API keys."""


@keys.command("create")
@click.option("--tenant", required=True, help="Tenant that the key belongs to.")
@click.option(
    "--environment",
    required=True,
    help="Environment of the tenant that the key is pinned to.",
)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    default=str(Role.WRITER),
    show_default=True,
)
@click.option("--name", default="", help="What the key is for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def keys_create(
    tenant: str, environment: str, role: str, name: str, *, as_json: bool
) -> None:
    """Make an API key; it is printed once and stored only as its hash."""
    key = new_key()
    add_key(
        Settings.from_environment().database_url,
        tenant,
        environment,
        key,
        name,
        Role(role),
    )
    created = {
        "api_key": key,
        "tenant_id": tenant,
        "environment_id": environment,
        "role": role,
    }
    click.echo(json.dumps(created) if as_json else key)


def add_key(
    database_url: str, tenant: str, environment: str, key: str, name: str, role: Role
) -> None:
    """Let a key in, making the scope when it is new; safe to call twice."""
    engine = make_engine(database_url, "wharf-cli")
    with make_sessions(engine).begin() as session:
        store_key(session, ensure_scope(session, tenant, environment), key, name, role)
    engine.dispose()


def _celery(*arguments: str) -> NoReturn:
    _become("celery", "--app", "tasks.app", *arguments)


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process, so that signals reach the server itself."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main()
