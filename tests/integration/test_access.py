"""API keys: who they let in and where, for how long, and what is kept of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.orm import Session

from schemas.vocabulary import Role
from service.access import KeyTerms, Principal, add_key, authenticate, ensure_scope, hash_key, new_key, store_key
from service.config import StaticKey
from service.db.clock import seconds_from_now
from service.db.models import ApiKey, Scope
from service.db.session import Sessions
from service.errors import PermissionDeniedError, UnauthorizedError, ValidationError

OPS = StaticKey("ops", "tenant_a", hash_key("a key of the settings"))
AUDIT = StaticKey("audit", "tenant_b", hash_key("another one"))


@pytest.fixture
def key(session: Session, scope: Scope) -> str:
    """A writer's key, in the same transaction as the test."""
    key = new_key()
    store_key(session, scope, key, "test", Role.WRITER)
    return key


@pytest.fixture
def committed_key(sessions: Sessions, scope: Scope) -> str:
    """A writer's key that other transactions see."""
    key = new_key()
    with sessions.begin() as session:
        store_key(session, scope, key, "test", Role.WRITER)
    return key


def enter(session: Session, key: str, environment_id: str | None = None) -> Principal:
    """Authenticate where the settings hold no key."""
    return authenticate(session, (), key, environment_id)


def is_let_in(session: Session, key: str) -> bool:
    try:
        enter(session, key)
    except UnauthorizedError:
        return False
    return True


def count(session: Session, table: type[ApiKey | Scope]) -> int | None:
    return session.scalar(select(func.count()).select_from(table))


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """The first words of the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement.split(maxsplit=1)[0])

    engine = session.get_bind()
    assert isinstance(engine, Engine)
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_a_key_gives_its_scope_and_its_role(session: Session, scope: Scope, key: str) -> None:
    stored = session.scalars(select(ApiKey)).one()
    assert enter(session, key) == Principal(
        scope.id, "tenant_a", "env_a", stored.user_id, Role.WRITER, stored.id, None, None
    )


def test_a_key_brings_its_own_limits(session: Session, scope: Scope) -> None:
    key = new_key()
    store_key(session, scope, key, "", Role.READER, KeyTerms(requests_per_minute=0, body_max_bytes=1000))
    principal = enter(session, key)
    assert (principal.requests_per_minute, principal.body_max_bytes) == (0, 1000)


def test_each_key_is_a_user_of_its_own_in_its_own_scope(session: Session, key: str) -> None:
    other = new_key()
    store_key(session, ensure_scope(session, "tenant_a", "env_b"), other, "other", Role.READER)
    first, second = enter(session, key), enter(session, other)
    assert first.scope_id != second.scope_id
    assert first.user_id != second.user_id
    assert first.key_id != second.key_id
    assert (second.tenant_id, second.environment_id, second.role) == ("tenant_a", "env_b", Role.READER)


def test_a_stored_key_stays_in_its_environment_whatever_the_request_asks_for(session: Session, key: str) -> None:
    ensure_scope(session, "tenant_a", "env_b")
    assert {enter(session, key, asked).environment_id for asked in (None, "", "env_a", "env_b", "no\0ne")} == {"env_a"}


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
    principal = enter(session, key)
    assert (principal.role, principal.may_read(), principal.may_write()) == (role, reads, writes)


@pytest.mark.parametrize("unknown", ["", "sk_", "sk_unknown", "' OR true --", "ключ", "x" * 100_000])
def test_an_unknown_key_is_nobody_s(session: Session, key: str, unknown: str) -> None:
    assert not is_let_in(session, unknown)


def test_a_key_is_compared_in_full(session: Session, key: str) -> None:
    almost = [key[:-1], key + "x", key.upper(), f" {key}", key.removeprefix("sk_"), hash_key(key).hex()]
    assert [is_let_in(session, other) for other in almost] == [False] * 6


def test_a_revoked_key_is_nobody_s(session: Session, key: str) -> None:
    session.execute(update(ApiKey).values(revoked_at=func.now()))
    assert not is_let_in(session, key)


@pytest.mark.parametrize(("seconds", "is_known"), [(-1, False), (60, True)])
def test_a_key_lasts_until_it_expires(session: Session, key: str, seconds: int, is_known: object) -> None:
    session.execute(update(ApiKey).values(expires_at=seconds_from_now(seconds)))
    assert is_let_in(session, key) == is_known


def test_a_key_can_expire_within_a_transaction(session: Session, key: str) -> None:
    began_at = session.scalar(select(func.now()))
    assert began_at is not None
    session.execute(update(ApiKey).values(expires_at=began_at + timedelta(microseconds=1)))
    assert not is_let_in(session, key)


def test_a_key_is_stored_as_its_hash_alone(session: Session, key: str) -> None:
    stored = session.scalars(select(ApiKey)).one()
    assert stored.sha256 == hashlib.sha256(key.encode()).digest()
    whole_row = session.scalar(text("SELECT api_keys::text FROM api_keys"))
    assert key not in str(whole_row)
    assert key.removeprefix("sk_") not in str(whole_row)


def test_new_keys_differ_and_are_long() -> None:
    keys = {new_key() for _ in range(100)}
    assert (len(keys), {len(key) for key in keys}, {key[:3] for key in keys}) == (100, {35}, {"sk_"})


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(session: Session, key: str) -> None:
    used = select(ApiKey.last_used_at)
    assert session.scalar(used) is None
    with statements(session) as first:
        enter(session, key)
    noted_at = session.scalar(used)
    with statements(session) as second:
        enter(session, key)
    assert session.scalar(used) == noted_at
    session.execute(update(ApiKey).values(last_used_at=seconds_from_now(-59)))
    with statements(session) as soon:
        enter(session, key)
    session.execute(update(ApiKey).values(last_used_at=seconds_from_now(-61)))
    with statements(session) as late:
        enter(session, key)
    assert (first, second, soon, late) == (["SELECT", "UPDATE"], ["SELECT"], ["SELECT"], ["SELECT", "UPDATE"])
    assert noted_at is not None
    assert session.scalar(select(ApiKey.last_used_at > noted_at)) is True


def test_the_use_of_a_key_that_is_refused_is_not_noted(session: Session, key: str) -> None:
    session.execute(update(ApiKey).values(revoked_at=func.now()))
    assert not is_let_in(session, key)
    assert session.scalar(select(ApiKey.last_used_at)) is None


def test_a_request_waits_for_nobody_who_holds_its_key(sessions: Sessions, committed_key: str) -> None:
    with sessions.begin() as holder, sessions.begin() as session:
        holder.execute(update(ApiKey).values(name="changed"))
        session.execute(text("SET LOCAL lock_timeout = '1ms'"))
        assert enter(session, committed_key).role is Role.WRITER
        assert session.scalar(select(ApiKey.last_used_at)) is None


def test_of_two_requests_at_once_one_notes_the_use(sessions: Sessions, committed_key: str) -> None:
    with sessions.begin() as first, sessions.begin() as second:
        second.execute(text("SET LOCAL lock_timeout = '1ms'"))
        enter(first, committed_key)
        enter(second, committed_key)
        noted_at = first.scalar(select(ApiKey.last_used_at))
    with sessions() as session:
        assert noted_at is not None
        assert session.scalar(select(ApiKey.last_used_at)) == noted_at


def test_a_static_key_enters_any_environment_of_its_tenant_as_admin(session: Session, scope: Scope) -> None:
    other = ensure_scope(session, "tenant_a", "env_b")
    keys = frozenset({OPS, AUDIT})
    assert [authenticate(session, keys, "a key of the settings", name) for name in ("env_a", "env_b")] == [
        Principal(scope.id, "tenant_a", "env_a", "ops", Role.ADMIN, "static:ops", None, None),
        Principal(other.id, "tenant_a", "env_b", "ops", Role.ADMIN, "static:ops", None, None),
    ]


@pytest.mark.parametrize("asked", [None, "", "env_b", "env_none", "env_a ", "ENV_A", "en\0v", "x" * 10_000])
def test_a_static_key_needs_an_environment_of_its_tenant(session: Session, scope: Scope, asked: str | None) -> None:
    ensure_scope(session, "tenant_b", "env_b")
    with pytest.raises(PermissionDeniedError) as caught:
        authenticate(session, [AUDIT, OPS], "a key of the settings", asked)
    assert caught.value.message == "Invalid or inaccessible environment"


@pytest.mark.parametrize("almost", ["a key of the setting", "", OPS.sha256.hex(), "ops"])
def test_what_is_no_key_of_the_settings_is_nobody_s(session: Session, scope: Scope, almost: str) -> None:
    with pytest.raises(UnauthorizedError):
        authenticate(session, [OPS], almost, "env_a")


def test_stored_keys_work_beside_those_of_the_settings(session: Session, key: str) -> None:
    assert authenticate(session, [OPS, AUDIT], key, None).role is Role.WRITER


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


@pytest.mark.parametrize(("tenant", "environment"), [("a/b", "env"), ("tenant", ""), ("tenant", ".."), ("a\nb", "env")])
def test_a_name_that_would_break_an_object_key_is_refused(session: Session, tenant: str, environment: str) -> None:
    with pytest.raises(ValidationError, match="printable characters, no '/' and no space at either end"):
        ensure_scope(session, tenant, environment)
    assert count(session, Scope) == 0


def test_adding_a_key_twice_is_harmless(database_url: str, sessions: Sessions) -> None:
    key = new_key()
    add_key(database_url, "tenant_x", "env_x", key, "first", Role.READER)
    add_key(database_url, "tenant_x", "env_x", key, "second", Role.ADMIN)
    with sessions() as session:
        principal = enter(session, key)
        assert (count(session, Scope), count(session, ApiKey)) == (1, 1)
    assert (principal.tenant_id, principal.environment_id, principal.role) == ("tenant_x", "env_x", Role.READER)
