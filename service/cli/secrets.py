"""`wharf secrets`."""

import click

from service.cli.output import print_json
from service.cli.transaction import transaction
from service.config import Settings
from service.connections.records import rotate_secrets
from service.connections.secrets import SecretBox, new_secret_key


@click.group()
def secrets() -> None:
    """The secrets of connections."""


@secrets.command("new-key")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new_key(*, as_json: bool) -> None:
    """Print a fresh key for WHARF_SECRET_KEYS; the first of these keys encrypts, all of them decrypt."""
    key = new_secret_key()
    if as_json:
        print_json({"key": key})
    else:
        click.echo(key)


@secrets.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rotate(*, as_json: bool) -> None:
    """Encrypt every secret with the first key of WHARF_SECRET_KEYS; afterwards the others may be taken away."""
    box = SecretBox.from_settings(Settings.from_environment())
    with transaction() as session:
        rotated = rotate_secrets(session, box)
    if as_json:
        print_json({"rotated": rotated})
    else:
        click.echo(f"{rotated} secrets are encrypted with the first key of WHARF_SECRET_KEYS.")
