"""`wharf keys`."""

from dataclasses import asdict
from datetime import datetime

import click

from schemas.vocabulary import Role
from service.access import KeyTerms, ensure_scope, new_key, store_key
from service.cli.options import check_future, check_label, check_name
from service.cli.output import print_json, print_table
from service.cli.transaction import transaction
from service.stored_keys import list_keys, revoke_key

_INTEGER_MAX = 2**31 - 1
_COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "TENANT": "tenant_id",
    "ENVIRONMENT": "environment_id",
    "ROLE": "role",
    "STATE": "state",
    "CREATED": "created_at",
    "EXPIRES": "expires_at",
    "REVOKED": "revoked_at",
    "LAST USED": "last_used_at",
    "USER": "user_id",
}


@click.group()
def keys() -> None:
    """API keys."""


@keys.command()
@click.option("--tenant", callback=check_name, required=True, help="Tenant that the key belongs to.")
@click.option("--environment", callback=check_name, required=True, help="Environment that the key is pinned to.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default=str(Role.WRITER), show_default=True)
@click.option("--name", callback=check_label, default="", help="What the key is for.")
@click.option("--expires", "expires_at", callback=check_future, help="Until when: 30d, 12h, or 2027-01-31T00:00:00Z.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(0, _INTEGER_MAX),
    help="A limit of its own instead of WHARF_REQUESTS_PER_MINUTE; 0 means any number.",
)
@click.option(
    "--body-max-bytes",
    type=click.IntRange(1, _INTEGER_MAX),
    help="A limit of its own instead of WHARF_BODY_MAX_BYTES.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(
    tenant: str,
    environment: str,
    role: str,
    name: str,
    expires_at: datetime | None,
    requests_per_minute: int | None,
    body_max_bytes: int | None,
    *,
    as_json: bool,
) -> None:
    """Make an API key; it is printed once and stored only as its hash."""
    key = new_key()
    terms = KeyTerms(expires_at=expires_at, requests_per_minute=requests_per_minute, body_max_bytes=body_max_bytes)
    with transaction() as session:
        made = store_key(session, ensure_scope(session, tenant, environment), key, name, Role(role), terms)
    if as_json:
        where = {"tenant_id": tenant, "environment_id": environment, "role": role}
        print_json({"id": made.id, "api_key": key, **where, "expires_at": made.expires_at})
        return
    click.echo(key)
    # Beside the output, so that scripts read the key alone.
    click.echo(f"{made.id} is its id. The key is shown only once: keep it now.", err=True)


@keys.command("list")
@click.option("--tenant", callback=check_name, help="Only the keys of this tenant.")
@click.option("--environment", callback=check_name, help="Only the keys of this environment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(tenant: str | None, environment: str | None, *, as_json: bool) -> None:
    """Show the keys that were made, without the keys themselves."""
    with transaction() as session:
        found = [asdict(key) for key in list_keys(session, tenant, environment)]
    if as_json:
        print_json(found)
    else:
        print_table(list(_COLUMNS), [[key[field] for field in _COLUMNS.values()] for key in found])


@keys.command()
@click.argument("key_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def revoke(key_id: str, *, as_json: bool) -> None:
    """Let a key in no more; safe to run again. KEY_ID is what `wharf keys list` shows."""
    with transaction() as session:
        revoked = asdict(revoke_key(session, key_id))
    if as_json:
        print_json(revoked)
    else:
        print_table(["ID", "REVOKED"], [[revoked["id"], revoked["revoked_at"]]])
