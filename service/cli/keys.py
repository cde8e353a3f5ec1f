"""`wharf keys`."""

import json

import click

from schemas.vocabulary import Role
from service.access import add_key, new_key
from service.config import Settings


@click.group()
def keys() -> None:
    """API keys."""


@keys.command()
@click.option("--tenant", required=True, help="Tenant that the key belongs to.")
@click.option("--environment", required=True, help="Environment of the tenant that the key is pinned to.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default=str(Role.WRITER), show_default=True)
@click.option("--name", default="", help="What the key is for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(tenant: str, environment: str, role: str, name: str, *, as_json: bool) -> None:
    """Make an API key; it is printed once and stored only as its hash."""
    key = new_key()
    add_key(Settings.from_environment().database_url, tenant, environment, key, name, Role(role))
    created = {"api_key": key, "tenant_id": tenant, "environment_id": environment, "role": role}
    click.echo(json.dumps(created) if as_json else key)
