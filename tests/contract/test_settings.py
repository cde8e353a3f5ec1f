"""The README's table and the code speak of the same settings."""

import re
from dataclasses import fields

import pytest

from service.config import Settings
from service.errors import ConfigurationError
from tests.contract.repository import read

REQUIRED = {"WHARF_DATABASE_URL", "WHARF_BROKER_URL", "WHARF_S3_BUCKET"}
# A value for each kind of default that differs from it and is allowed.
_OTHER_TEXT = {"WHARF_LOG_LEVEL": "DEBUG", "WHARF_BROKER_URL": "rediss://elsewhere:6379/1"}
_OTHER_TEXT["WHARF_DATABASE_URL"] = "postgresql://elsewhere/wharf"
_OTHER_TEXT["WHARF_RATE_LIMIT_URL"] = "redis://elsewhere:6379/3"
_OTHER_TEXT["WHARF_SECRET_KEYS"] = f"{43 * 'A'}="
_OTHER_TEXT["WHARF_STATIC_KEYS"] = f"operator:acme:{64 * '0'}"


def documented() -> dict[str, str]:
    """Variable and default of each row of the README's table of settings."""
    rows = re.findall(r"^\| `(WHARF_\w+)` \| (.*?) \| .+ \|$", read("README.md"), re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return {name: default.strip("`") for name, default in rows}


def shown(value: object) -> str:
    """A default as the table writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(value) or "none"
        case frozenset():
            return ",".join(sorted(value)) or "none"
        case _:
            return str(value)


def variable(field: str) -> str:
    """The variable that a field of the settings is read from."""
    return f"WHARF_{field.upper()}"


def other(name: str, default: object) -> str:
    """A text for the variable that does not mean its default."""
    match default:
        case bool():
            return str(not default).lower()
        case int():
            return str(default + 1)
        case _:
            return _OTHER_TEXT.get(name, "elsewhere")


def test_table_has_every_setting_with_its_default(
    settings_in_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in documented():
        if name not in REQUIRED:
            monkeypatch.delenv(name, raising=False)
    settings = Settings.from_environment()
    defaults = {variable(field.name): shown(getattr(settings, field.name)) for field in fields(Settings)}
    assert documented() == defaults | dict.fromkeys(REQUIRED, "required")


def test_every_documented_variable_changes_its_setting(
    settings_in_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Settings.from_environment()
    for field in fields(Settings):
        name = variable(field.name)
        with monkeypatch.context() as change:
            change.setenv(name, other(name, getattr(before, field.name)))
            after = Settings.from_environment()
        changed = {
            other.name for other in fields(Settings) if getattr(after, other.name) != getattr(before, other.name)
        }
        assert changed == {field.name}


def test_all_that_the_table_calls_required_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in documented():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment()
    assert {problem.partition(":")[0] for problem in caught.value.message.split("; ")} == REQUIRED
