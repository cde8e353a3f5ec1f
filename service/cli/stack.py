"""`wharf up` and `wharf demo`."""

import sys
from pathlib import Path

import click

from schemas.vocabulary import Role
from service.access import add_key
from service.demo.run import run_demo
from service.stack.up import StackOptions, run_stack

DEFAULT_TENANT = "tenant_default"
DEFAULT_ENVIRONMENT = "env_default"


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("var/stack"), show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API; without it a free one is kept.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Pool processes of the worker.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written when all is ready: JSON for programs.")
def up(data_dir: Path, port: int | None, workers: int, ready_file: Path | None) -> None:
    """Run everything on this machine until Ctrl-C; the data stays for the next time."""
    options = StackOptions(folder=data_dir, port=port, workers=workers, ready_file=ready_file)
    sys.exit(run_stack(options, ensure_key=_ensure_default_key, tell=click.echo))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
def demo(data_dir: Path) -> None:
    """Import sample files on a stack of its own, export them back, and compare."""
    run_demo(data_dir, click.echo)


def _ensure_default_key(database_url: str, api_key: str) -> tuple[str, str]:
    add_key(database_url, DEFAULT_TENANT, DEFAULT_ENVIRONMENT, api_key, "wharf up", Role.ADMIN)
    return DEFAULT_TENANT, DEFAULT_ENVIRONMENT
