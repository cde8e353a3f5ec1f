"""The single parts against your own servers: what the Procfile and docker-compose run."""

import os
import sys
from typing import NoReturn

import click

from service.config import Settings


@click.command()
def web() -> None:
    """Serve the API."""
    _become("service.web")


@click.command()
@click.option("--concurrency", default=2, show_default=True, help="Number of pool processes.")
@click.option("--queues", help="Queues to consume, by comma; without it all of them.")
def worker(concurrency: int, queues: str | None) -> None:
    """Run imports, exports and upkeep."""
    chosen = ["--queues", queues] if queues else []
    # Gossip and mingle bring nothing here, and gossip fails at every reconnection.
    pool = ["--pool", "prefork", "--concurrency", str(concurrency), "--without-gossip", "--without-mingle"]
    _celery("worker", *pool, *chosen)


@click.command()
def beat() -> None:
    """Send what is due by the clock."""
    _celery("beat", "--pidfile", "")


@click.command()
def flower() -> None:
    """Show the workers; options are Flower's own FLOWER_… variables, and it never runs without a password."""
    if ":" not in os.environ.get("FLOWER_BASIC_AUTH", ""):
        message = "FLOWER_BASIC_AUTH must be set to user:password; Flower shows tasks to whoever can reach it"
        raise click.ClickException(message)
    os.environ.setdefault("FLOWER_ADDRESS", "127.0.0.1")
    os.environ.setdefault("FLOWER_READ_ONLY", "true")
    _celery("flower")


def _celery(*arguments: str) -> NoReturn:
    _become("celery", "--app", "tasks.app", *arguments)


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process, so that signals reach the server itself; wrong settings are told before, in one line."""
    Settings.from_environment()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
