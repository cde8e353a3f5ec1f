"""`wharf db`."""

import click

from service.config import Settings
from service.db.migrate import upgrade as upgrade_tables


@click.group()
def db() -> None:
    """The tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to this version; safe to run again."""
    upgrade_tables(Settings.from_environment().database_url)
