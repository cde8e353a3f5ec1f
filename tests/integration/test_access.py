"""API keys: who they let in, for how long, and what is kept of them."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from schemas.vocabulary import Role
from service.access import Principal, add_key, ensure_scope, find_principal, new_key, store_key
from service.cli import main
from service.db.clock import seconds_from_now
from service.db.models import ApiKey, Scope
from service.db.session import Sessions
from service.stack.servers import RunningServers


@pytest.fixture
def key(session: Session, scope: Scope) -> str:
    """A writer's key, in the same transaction as the test."""
    key = new_key()
    store_key(session, scope, key, "test", Role.WRITER)
    return key


def count(session: Session, table: type[ApiKey | Scope]) -> int | None:
    return session.scalar(select(func.count()).select_from(table))


def test_a_key_gives_its_scope_and_its_role(session: Session, scope: Scope, key: str) -> None:
    user_id = session.scalars(select(ApiKey.user_id)).one()
    assert find_principal(session, key) == Principal(scope.id, "tenant_a", "env_a", user_id, Role.WRITER)


def test_each_key_is_a_user_of_its_own_in_its_own_scope(session: Session, key: str) -> None:
    other = new_key()
    store_key(session, ensure_scope(session, "tenant_a", "env_b"), other, "other", Role.READER)
    first, second = find_principal(session, key), find_principal(session, other)
    assert first is not None
    assert second is not None
    assert first.scope_id != second.scope_id
    assert first.user_id != second.user_id
    assert (second.tenant_id, second.environment_id, second.role) == ("tenant_a", "env_b", Role.READER)


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        (Role.READER, True, False),
        (Role.WRITER, True, True),
        (Role.WORKER, True, False),
        (Role.ADMIN, True, True),
    ],
)
def test_a_role_says_what_its_key_may_do(
    session: Session, scope: Scope, role: Role, reads: object, writes: object
) -> None:
    key = new_key()
    store_key(session, scope, key, "", role)
    principal = find_principal(session, key)
    assert principal is not None
    assert (principal.role, principal.may_read(), principal.may_write()) == (role, reads, writes)


@pytest.mark.parametrize("unknown", ["", "sk_", "sk_unknown", "' OR true --", "ключ", "x" * 100_000])
def test_an_unknown_key_is_nobody_s(session: Session, key: str, unknown: str) -> None:
    assert find_principal(session, unknown) is None


def test_a_key_is_compared_in_full(session: Session, key: str) -> None:
    almost = [key[:-1], key + "x", key.upper(), f" {key}", key.removeprefix("sk_")]
    assert [find_principal(session, other) for other in almost] == [None] * 5


def test_a_revoked_key_is_nobody_s(session: Session, key: str) -> None:
    session.execute(update(ApiKey).values(revoked_at=func.now()))
    assert find_principal(session, key) is None


@pytest.mark.parametrize(("seconds", "is_known"), [(-1, False), (60, True)])
def test_a_key_lasts_until_it_expires(session: Session, key: str, seconds: int, is_known: object) -> None:
    session.execute(update(ApiKey).values(expires_at=seconds_from_now(seconds)))
    assert (find_principal(session, key) is not None) == is_known


def test_a_key_can_expire_within_a_transaction(session: Session, key: str) -> None:
    began_at = session.scalar(select(func.now()))
    assert began_at is not None
    session.execute(update(ApiKey).values(expires_at=began_at + timedelta(microseconds=1)))
    assert find_principal(session, key) is None


def test_a_key_is_stored_as_its_hash_alone(session: Session, key: str) -> None:
    stored = session.scalars(select(ApiKey)).one()
    assert stored.sha256 == hashlib.sha256(key.encode()).digest()
    whole_row = session.scalar(text("SELECT api_keys::text FROM api_keys"))
    assert key not in str(whole_row)
    assert key.removeprefix("sk_") not in str(whole_row)


def test_new_keys_differ_and_are_long() -> None:
    keys = {new_key() for _ in range(100)}
    assert (len(keys), {len(key) for key in keys}, {key[:3] for key in keys}) == (100, {35}, {"sk_"})


def test_a_scope_is_made_once(session: Session, scope: Scope) -> None:
    again = ensure_scope(session, "tenant_a", "env_a")
    assert (again.id, count(session, Scope)) == (scope.id, 1)


def test_scopes_differ_by_tenant_and_by_environment(session: Session, scope: Scope) -> None:
    others = [ensure_scope(session, "tenant_a", "env_b"), ensure_scope(session, "tenant_b", "env_a")]
    assert len({scope.id, *(other.id for other in others)}) == 3


def test_two_transactions_make_one_scope(sessions: Sessions) -> None:
    made = []
    for _ in range(2):
        with sessions.begin() as session:
            made.append(ensure_scope(session, "tenant_z", "env_z").id)
    with sessions() as session:
        assert (len(set(made)), count(session, Scope)) == (1, 1)


def test_adding_a_key_twice_is_harmless(database_url: str, sessions: Sessions) -> None:
    key = new_key()
    add_key(database_url, "tenant_x", "env_x", key, "first", Role.READER)
    add_key(database_url, "tenant_x", "env_x", key, "second", Role.ADMIN)
    with sessions() as session:
        principal = find_principal(session, key)
        assert (count(session, Scope), count(session, ApiKey)) == (1, 1)
    assert principal is not None
    assert (principal.tenant_id, principal.environment_id, principal.role) == ("tenant_x", "env_x", Role.READER)


def run_wharf(servers: RunningServers, database_url: str, *arguments: str) -> Any:
    variables = {**servers.settings(), "WHARF_DATABASE_URL": database_url}
    return CliRunner().invoke(main, ["keys", "create", *arguments], env=variables)


def test_the_command_prints_a_key_that_works(servers: RunningServers, database_url: str, sessions: Sessions) -> None:
    answer = run_wharf(
        servers, database_url, "--tenant", "tenant_c", "--environment", "env_c", "--role", "reader", "--json"
    )
    assert (answer.exit_code, answer.exception) == (0, None)
    printed = json.loads(answer.output)
    key = printed.pop("api_key")
    assert printed == {"tenant_id": "tenant_c", "environment_id": "env_c", "role": "reader"}
    with sessions() as session:
        principal = find_principal(session, key)
    assert principal is not None
    assert (principal.tenant_id, principal.environment_id, principal.role) == ("tenant_c", "env_c", Role.READER)


def test_the_command_without_json_prints_the_key_of_a_writer_alone(
    servers: RunningServers, database_url: str, sessions: Sessions
) -> None:
    answer = run_wharf(servers, database_url, "--tenant", "t", "--environment", "e", "--name", "for a test")
    with sessions() as session:
        principal = find_principal(session, answer.output.strip())
        names = session.scalars(select(ApiKey.name)).all()
    assert principal is not None
    assert (principal.role, names, answer.output.count("\n")) == (Role.WRITER, ["for a test"], 1)


def test_the_command_refuses_a_role_that_does_not_exist(servers: RunningServers, database_url: str) -> None:
    answer = run_wharf(servers, database_url, "--tenant", "t", "--environment", "e", "--role", "king")
    assert answer.exit_code == 2
    assert "'king' is not one of 'reader', 'writer', 'worker', 'admin'" in answer.output
