"""`wharf store`."""

import click

from service.config import Settings
from service.storage.s3 import S3ObjectStore


@click.group()
def store() -> None:
    """The bucket."""


@store.command()
def prepare() -> None:
    """Make the bucket where it is missing, and let browsers upload to it; safe to run again."""
    S3ObjectStore.from_settings(Settings.from_environment()).ensure_bucket()
