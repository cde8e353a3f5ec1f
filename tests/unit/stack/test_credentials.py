"""The secrets of a stack: made once, private, never silently replaced."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from service.connections.secrets import SecretBox
from service.errors import ConfigurationError
from service.stack.credentials import load_credentials


def test_first_start_makes_different_secrets_that_only_the_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    values = asdict(load_credentials(path, holds_database=False))
    assert len(set(values.values())) == len(values)
    # It raises for a key that is none.
    SecretBox([values.pop("secret_key")])
    assert all(re.fullmatch(r"(sk_)?[0-9a-f]{48}", value) for value in values.values())
    assert path.stat().st_mode & 0o777 == 0o600


def test_next_start_reads_the_same_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    assert load_credentials(path, holds_database=False) == load_credentials(path, holds_database=True)


def test_a_secret_that_an_older_file_lacks_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"postgres_password": "old"}')
    values = asdict(load_credentials(path, holds_database=True))
    assert values["postgres_password"] == "old"
    assert json.loads(path.read_text()) == values


def test_a_missing_file_beside_a_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\.json is missing, and the database .* from a backup"):
        load_credentials(tmp_path / "secrets.json", holds_database=True)
    assert not (tmp_path / "secrets.json").exists()


@pytest.mark.parametrize("text", ["", "null", "{", '{"api_key": 7}', '{"api_key": ""}', '{"other": "x"}'])
def test_a_damaged_file_is_named_with_its_remedy_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"secrets\.json is damaged: .* from a backup"):
        load_credentials(path, holds_database=False)
    assert path.read_text() == text


def test_secrets_are_not_shown_by_repr(tmp_path: Path) -> None:
    credentials = load_credentials(tmp_path / "secrets.json", holds_database=False)
    assert not any(value in repr(credentials) for value in asdict(credentials).values())
