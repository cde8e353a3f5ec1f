"""`wharf keys`: keys are made, shown and revoked, and what is typed wrongly is told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text, update

from schemas.base import format_instant
from schemas.vocabulary import Role
from service.access import Principal, authenticate
from service.cli import main
from service.db.clock import seconds_from_now
from service.db.models import ApiKey
from service.db.session import Sessions
from service.errors import UnauthorizedError
from service.stack.servers import RunningServers

ACME = ("--tenant", "acme", "--environment", "production")


class RunKeys(Protocol):
    """Runs `wharf keys`."""

    def __call__(self, *arguments: str, **variables: str) -> Result: ...


@pytest.fixture
def wharf_keys(servers: RunningServers, database_url: str) -> RunKeys:
    """The command, on the test's database."""

    def run(*arguments: str, **variables: str) -> Result:
        environment = {**servers.settings(), "WHARF_DATABASE_URL": database_url, **variables}
        return CliRunner().invoke(main, ["keys", *arguments], env=environment)

    return run


def printed(result: Result) -> Any:
    """What a command printed as JSON, after it ended well and without another word."""
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def enter(sessions: Sessions, key: str) -> Principal:
    with sessions.begin() as session:
        return authenticate(session, (), key, None)


def test_create_prints_a_key_that_works(wharf_keys: RunKeys, sessions: Sessions) -> None:
    made = printed(wharf_keys("create", *ACME, "--role", "reader", "--json"))
    key, key_id = made.pop("api_key"), made.pop("id")
    assert made == {"tenant_id": "acme", "environment_id": "production", "role": "reader", "expires_at": None}
    principal = enter(sessions, key)
    assert (principal.tenant_id, principal.environment_id, principal.role, principal.key_id) == (
        "acme", "production", Role.READER, key_id,
    )  # fmt: skip


def test_create_without_json_prints_the_key_of_a_writer_alone(wharf_keys: RunKeys, sessions: Sessions) -> None:
    made = wharf_keys("create", *ACME, "--name", "for a test")
    principal = enter(sessions, made.stdout.strip())
    assert made.exit_code == 0
    assert made.stdout.count("\n") == 1
    assert made.stderr == f"{principal.key_id} is its id. The key is shown only once: keep it now.\n"
    with sessions() as session:
        assert session.scalars(select(ApiKey.name)).all() == ["for a test"]
    assert principal.role is Role.WRITER


def test_create_gives_limits_and_an_end(wharf_keys: RunKeys, sessions: Sessions) -> None:
    limits = ("--requests-per-minute", "60", "--body-max-bytes", "2000")
    made = printed(wharf_keys("create", *ACME, "--expires", "9999-01-31T00:00:00+01:00", *limits, "--json"))
    principal = enter(sessions, made["api_key"])
    assert made["expires_at"] == "9999-01-30T23:00:00Z"
    assert (principal.requests_per_minute, principal.body_max_bytes) == (60, 2000)


def test_create_counts_the_end_from_now(wharf_keys: RunKeys) -> None:
    before = datetime.now(UTC)
    made = printed(wharf_keys("create", *ACME, "--expires", "30d", "--json"))
    ends_at = datetime.fromisoformat(made["expires_at"])
    assert before + timedelta(days=30) <= ends_at <= datetime.now(UTC) + timedelta(days=30)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--role", "king"), "'--role': 'king' is not one of 'reader', 'writer', 'worker', 'admin'"),
        (("--tenant", "a/b"), "'--tenant': 'a/b' cannot be a name: it must have 1 to 100 printable characters"),
        (("--environment", ""), "'--environment': '' cannot be a name"),
        (("--name", "a\x1b[2J"), "'--name': 'a\\x1b[2J' is no label: use up to 200 printable characters."),
        (("--expires", "soon"), "'--expires': 'soon' is not a time from now such as 30d or 12h, or a moment such as"),
        (("--expires", "0d"), "'--expires': '0d' is not in the future"),
        (("--expires", "2020-01-01T00:00:00Z"), "'--expires': '2020-01-01T00:00:00Z' is not in the future"),
        (("--requests-per-minute", "-1"), "'--requests-per-minute': -1 is not in the range 0<=x<=2147483647."),
        (("--body-max-bytes", "0"), "'--body-max-bytes': 0 is not in the range 1<=x<=2147483647."),
    ],
)
def test_create_refuses_what_is_wrong_and_names_it(
    wharf_keys: RunKeys, sessions: Sessions, wrong: tuple[str, str], told: str
) -> None:
    refused = wharf_keys("create", *ACME, *wrong)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"Invalid value for {told}" in refused.stderr
    with sessions() as session:
        assert session.scalars(select(ApiKey)).all() == []


def test_list_shows_all_but_the_keys(wharf_keys: RunKeys, sessions: Sessions) -> None:
    made = printed(wharf_keys("create", *ACME, "--name", "nightly", "--expires", "12h", "--json"))
    principal = enter(sessions, made["api_key"])
    with sessions() as session:
        row = session.scalars(select(ApiKey)).one()
    assert row.last_used_at is not None
    listed = wharf_keys("list", "--json")
    assert printed(listed) == [
        {
            "id": made["id"],
            "name": "nightly",
            "tenant_id": "acme",
            "environment_id": "production",
            "role": "writer",
            "user_id": principal.user_id,
            "state": "active",
            "created_at": format_instant(row.created_at),
            "expires_at": made["expires_at"],
            "revoked_at": None,
            "last_used_at": format_instant(row.last_used_at),
            "requests_per_minute": None,
            "body_max_bytes": None,
        }
    ]
    for secret in (made["api_key"], row.sha256.hex()):
        assert secret not in listed.output + wharf_keys("list").output


def test_list_without_json_is_a_table(wharf_keys: RunKeys, sessions: Sessions) -> None:
    first, second = (printed(wharf_keys("create", *ACME, *more, "--json")) for more in [(), ("--name", "nightly")])
    with sessions.begin() as session:
        session.execute(
            text("UPDATE api_keys SET created_at = '2026-01-02 03:04:05Z', user_id = 'user_x' || right(id, 1)")
        )
        session.execute(text("UPDATE api_keys SET last_used_at = '2026-05-06 07:08:09Z' WHERE name <> ''"))
    lines = wharf_keys("list").stdout.splitlines()
    ids = {first["id"]: ("-", "-"), second["id"]: ("nightly", "2026-05-06 07:08Z")}
    assert [line.split("  ")[0] for line in lines] == ["ID", *sorted(ids)]
    for line in lines[1:]:
        key_id, name, tenant, environment, role, state, created, expires, revoked, used, user = (
            cell.strip() for cell in line.split("  ") if cell.strip()
        )
        assert (name, used) == ids[key_id]
        assert (tenant, environment, role, state) == ("acme", "production", "writer", "active")
        assert (created, expires, revoked, user) == ("2026-01-02 03:04Z", "-", "-", f"user_x{key_id[-1]}")


def test_list_without_keys_is_empty(wharf_keys: RunKeys) -> None:
    assert printed(wharf_keys("list", "--json")) == []
    assert wharf_keys("list").stdout.count("\n") == 1


def test_list_keeps_to_a_tenant_and_an_environment(wharf_keys: RunKeys) -> None:
    for tenant in ("acme", "globex"):
        for environment in ("production", "test"):
            wharf_keys("create", "--tenant", tenant, "--environment", environment)

    def listed(*options: str) -> list[tuple[str, str]]:
        return [(key["tenant_id"], key["environment_id"]) for key in printed(wharf_keys("list", *options, "--json"))]

    everything = [("acme", "production"), ("acme", "test"), ("globex", "production"), ("globex", "test")]
    assert listed() == everything
    assert listed("--tenant", "globex") == everything[2:]
    assert listed("--environment", "test") == everything[1::2]
    assert listed("--tenant", "acme", "--environment", "test") == everything[1:2]
    assert listed("--tenant", "nobody") == []


def test_list_tells_the_state_of_each_key(wharf_keys: RunKeys, sessions: Sessions) -> None:
    ids = [printed(wharf_keys("create", *ACME, "--json"))["id"] for _ in range(3)]
    with sessions.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.id.in_(ids[1:])).values(expires_at=seconds_from_now(-1)))
    wharf_keys("revoke", ids[2])
    states = {key["id"]: key["state"] for key in printed(wharf_keys("list", "--json"))}
    assert states == dict(zip(ids, ["active", "expired", "revoked"], strict=True))


def test_a_name_that_would_steer_the_terminal_is_shown_escaped(wharf_keys: RunKeys, sessions: Sessions) -> None:
    wharf_keys("create", *ACME)
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(name="\x1b[2J"))
    assert "'\\x1b[2J'" in wharf_keys("list").stdout


def test_revoke_turns_a_key_away_at_once(wharf_keys: RunKeys, sessions: Sessions) -> None:
    made, other = (printed(wharf_keys("create", *ACME, "--json")) for _ in range(2))
    assert enter(sessions, made["api_key"]).key_id == made["id"]
    revoked = printed(wharf_keys("revoke", made["id"], "--json"))
    assert (revoked["id"], revoked["state"]) == (made["id"], "revoked")
    with pytest.raises(UnauthorizedError):
        enter(sessions, made["api_key"])
    assert enter(sessions, other["api_key"]).key_id == other["id"]


def test_revoking_twice_keeps_the_first_time(wharf_keys: RunKeys) -> None:
    key_id = printed(wharf_keys("create", *ACME, "--json"))["id"]
    first, second = (printed(wharf_keys("revoke", key_id, "--json")) for _ in range(2))
    assert first["revoked_at"] is not None
    assert second == first
    told = wharf_keys("revoke", key_id)
    assert told.exit_code == 0
    assert told.stdout.splitlines()[1].startswith(f"{key_id}  {first['revoked_at'][:10]} ")


def test_revoke_says_that_an_id_is_unknown(wharf_keys: RunKeys) -> None:
    unknown = f"key_{'0' * 26}"
    refused = wharf_keys("revoke", unknown)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: No key has the id {unknown}; `wharf keys list` shows them all\n"


@pytest.mark.parametrize("wrong", ["sk_the-key-itself", "key_x", "", "\udcff"])
def test_revoke_does_not_repeat_what_may_be_a_key(wharf_keys: RunKeys, wrong: str) -> None:
    refused = wharf_keys("revoke", wrong)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (
        refused.stderr == "Error: This is not the id of a key: ids begin with key_, and `wharf keys list` shows them\n"
    )


def test_revoke_needs_an_id(wharf_keys: RunKeys) -> None:
    assert wharf_keys("revoke").exit_code == 2


def test_a_database_without_tables_is_told_with_the_remedy(wharf_keys: RunKeys, servers: RunningServers) -> None:
    empty = servers.postgres.url()
    for command in (("create", *ACME), ("list",)):
        refused = wharf_keys(*command, WHARF_DATABASE_URL=empty)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "run: wharf db upgrade" in refused.stderr


def test_a_database_that_is_away_is_told_with_the_variable(wharf_keys: RunKeys) -> None:
    refused = wharf_keys("list", WHARF_DATABASE_URL="postgresql://wharf:pass-word@127.0.0.1:1/wharf")
    assert refused.exit_code == 1
    assert "check WHARF_DATABASE_URL" in refused.stderr
    assert "pass-word" not in refused.output
