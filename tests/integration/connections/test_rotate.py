"""`wharf secrets rotate`: every secret comes under the first key, or none does."""

import json
from dataclasses import replace
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.config import Settings
from service.connections.secrets import SecretBox, SecretLostError, new_secret_key
from service.db.models import Connection, Scope
from service.db.session import Sessions
from service.ids import new_id
from service.stack.servers import RunningServers

SECRET = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "hush"}
OLD, NEW = new_secret_key(), new_secret_key()


class Rotate(Protocol):
    """Runs `wharf secrets rotate` with these keys."""

    def __call__(self, *keys: str, as_json: bool = True) -> Result: ...


@pytest.fixture
def rotate(servers: RunningServers, database_url: str) -> Rotate:
    """The command, on the test's database."""

    def run(*keys: str, as_json: bool = True) -> Result:
        environment = {**servers.settings(), "WHARF_DATABASE_URL": database_url, "WHARF_SECRET_KEYS": ",".join(keys)}
        return CliRunner().invoke(main, ["secrets", "rotate", *(["--json"] if as_json else [])], env=environment)

    return run


def add(sessions: Sessions, scope: Scope, key: str, **more: str) -> str:
    """A connection whose secret is under this key."""
    connection_id = new_id("conn")
    with sessions.begin() as session:
        session.add(
            Connection(
                id=connection_id, scope_id=scope.id, name="x", provider_type="s3", bucket="acme", region="eu-west-1",
                key_prefix="", use_path_style=False, is_managed=False,
                sealed_secret=SecretBox([key]).seal(connection_id, SECRET), **more,
            )
        )  # fmt: skip
    return connection_id


def sealed(sessions: Sessions, connection_id: str) -> str:
    with sessions() as session:
        return str(session.get_one(Connection, connection_id).sealed_secret)


def test_afterwards_the_old_key_is_not_needed(sessions: Sessions, scope: Scope, rotate: Rotate) -> None:
    ids = [add(sessions, scope, OLD), add(sessions, scope, NEW), add(sessions, scope, OLD)]
    done = rotate(NEW, OLD)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"rotated": 3})
    assert [SecretBox([NEW]).open(one, sealed(sessions, one)) for one in ids] == [SECRET] * 3
    with pytest.raises(SecretLostError):
        SecretBox([OLD]).open(ids[0], sealed(sessions, ids[0]))
    again = rotate(NEW, as_json=False)
    assert (again.exit_code, again.stdout) == (0, "3 secrets are encrypted with the first key of WHARF_SECRET_KEYS.\n")


def test_a_secret_that_no_key_opens_stops_it_and_nothing_is_changed(
    sessions: Sessions, scope: Scope, rotate: Rotate
) -> None:
    ids = [add(sessions, scope, OLD), add(sessions, scope, new_secret_key())]
    before = [sealed(sessions, one) for one in ids]
    done = rotate(NEW, OLD)
    assert (done.exit_code, f"The secret of {ids[1]} cannot be decrypted" in done.stderr) == (1, True)
    assert [sealed(sessions, one) for one in ids] == before


def test_without_keys_it_says_what_to_set(rotate: Rotate) -> None:
    done = rotate()
    assert (done.exit_code, "WHARF_SECRET_KEYS" in done.stderr) == (1, True)


def test_a_new_key_is_one_that_the_settings_take(settings: Settings) -> None:
    made = CliRunner().invoke(main, ["secrets", "new-key"])
    given = replace(settings, secret_keys=(made.stdout.strip(),))
    assert (made.exit_code, SecretBox.from_settings(given).seal("conn_1", SECRET) != "") == (0, True)
