"""The settings of a process: their defaults, how they are read, and how wrong ones are told."""

from dataclasses import asdict
from hashlib import sha256

import pytest

from service.config import GIB, MIB, Settings, StaticKey
from service.errors import ConfigurationError

REQUIRED = {
    "WHARF_DATABASE_URL": "postgresql://wharf:pass-word@127.0.0.1:5432/wharf",
    "WHARF_BROKER_URL": "redis://:pass-word@127.0.0.1:6379/0",
    "WHARF_S3_BUCKET": "wharf",
}

HASHES = [sha256(key).hexdigest() for key in (b"first", b"second")]

DEFAULTS: dict[str, object] = {
    "s3_endpoint": None,
    "s3_public_endpoint": None,
    "s3_region": "us-east-1",
    "s3_access_key_id": None,
    "s3_secret_access_key": None,
    "s3_path_style": False,
    "secret_keys": (),
    "sts_endpoint": None,
    "allowed_hosts": frozenset(),
    "host": "127.0.0.1",
    "port": 8080,
    "web_processes": 2,
    "web_threads": 8,
    "lease_seconds": 15,
    "reap_seconds": 2,
    "resend_seconds": 10,
    "max_attempts": 5,
    "chunk_bytes": 4 * MIB,
    "part_bytes": 8 * MIB,
    "range_bytes": 16 * MIB,
    "file_max_bytes": 50 * GIB,
    "row_max_bytes": 10 * MIB,
    "field_max_bytes": MIB,
    "columns_max": 1000,
    "body_max_bytes": MIB,
    "requests_per_minute": 6000,
    "rate_limit_url": None,
    "static_keys": frozenset(),
    "key_cache_seconds": 1,
    "source_connect_seconds": 5,
    "source_read_seconds": 30,
    "link_seconds": 1800,
    "upload_seconds": 3600,
    "log_level": "INFO",
}


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """The settings in an environment that holds these variables of ours and no others."""
    for name in (*DEFAULTS, "database_url", "broker_url", "s3_bucket"):
        monkeypatch.delenv(f"WHARF_{name.upper()}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, str]:
    """What is said of each variable when the settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        read(monkeypatch, **variables)
    return dict(problem.split(": ", maxsplit=1) for problem in caught.value.message.split("; "))


def test_three_variables_are_enough_and_the_rest_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asdict(read(monkeypatch, **REQUIRED)) == DEFAULTS | {
        "database_url": REQUIRED["WHARF_DATABASE_URL"],
        "broker_url": REQUIRED["WHARF_BROKER_URL"],
        "s3_bucket": "wharf",
    }


def test_every_missing_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch) == dict.fromkeys(REQUIRED, "Environment variable not set.")


def test_every_wrong_variable_is_named_at_once_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "WHARF_DATABASE_URL": "mysql://127.0.0.1/wharf",
        "WHARF_BROKER_URL": "amqp://127.0.0.1",
        "WHARF_REQUESTS_PER_MINUTE": "-1",
        "WHARF_RATE_LIMIT_URL": "amqp://127.0.0.1",
        "WHARF_PORT": "70000",
        "WHARF_LEASE_SECONDS": "2",
        "WHARF_PART_BYTES": str(5 * MIB - 1),
        "WHARF_S3_PATH_STYLE": "perhaps",
        "WHARF_WEB_THREADS": "many",
        "WHARF_LOG_LEVEL": "LOUD",
    }
    assert refusal(monkeypatch, **REQUIRED | wrong) == {
        "WHARF_DATABASE_URL": "must start with postgresql://",
        "WHARF_BROKER_URL": "must start with redis:// or rediss://",
        "WHARF_REQUESTS_PER_MINUTE": "Must be greater than or equal to 0.",
        "WHARF_RATE_LIMIT_URL": "must start with redis:// or rediss://",
        "WHARF_PORT": "Must be greater than or equal to 1 and less than or equal to 65535.",
        "WHARF_LEASE_SECONDS": "Must be greater than or equal to 3.",
        "WHARF_PART_BYTES": f"Must be greater than or equal to {5 * MIB}.",
        "WHARF_S3_PATH_STYLE": "Not a valid boolean.",
        "WHARF_WEB_THREADS": "Not a valid integer.",
        "WHARF_LOG_LEVEL": "Must be one of: DEBUG, INFO, WARNING, ERROR.",
    }


@pytest.mark.parametrize(
    "name", ["WEB_PROCESSES", "REAP_SECONDS", "RESEND_SECONDS", "MAX_ATTEMPTS", "CHUNK_BYTES", "LINK_SECONDS"]
)
def test_a_length_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert refusal(monkeypatch, **REQUIRED, **{f"WHARF_{name}": "0"}) == {
        f"WHARF_{name}": "Must be greater than or equal to 1."
    }


def test_a_refusal_quotes_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"WHARF_DATABASE_URL": "mysql://wharf:pass-word@h/d", "WHARF_BROKER_URL": "amqp://:pass-word@h"}
    assert "pass-word" not in str(refusal(monkeypatch, **REQUIRED | wrong))


@pytest.mark.parametrize("url", ["redis://h", "rediss://h:6380/1", "redis+socket:///run/valkey.sock"])
def test_the_broker_may_be_reached_in_three_ways(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert read(monkeypatch, **REQUIRED | {"WHARF_BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize("host", ["https://files.example.com", "*.example.com", "münchen.example", "a.b/c", "a.b:x"])
def test_allowed_hosts_that_would_never_match_are_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WHARF_ALLOWED_HOSTS", f"a.b:8080, [::1]:80, ::1, {host}")
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment()
    assert repr(host) in raised.value.message


def test_allowed_hosts_are_lower_cased_and_blanks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch, **REQUIRED, WHARF_ALLOWED_HOSTS="Files.Example.COM, 127.0.0.1:9000 ,, files.example.com"
    )
    assert settings.allowed_hosts == frozenset({"files.example.com", "127.0.0.1:9000"})


def test_static_keys_are_read_by_comma_and_blanks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = HASHES
    text = f"ops:acme:{first}, nightly import:a:b:{second.upper()},,"
    assert read(monkeypatch, **REQUIRED, WHARF_STATIC_KEYS=text).static_keys == frozenset(
        {
            StaticKey("ops", "acme", sha256(b"first").digest()),
            StaticKey("nightly import", "a:b", sha256(b"second").digest()),
        }
    )


@pytest.mark.parametrize("text", ["", " ", ","])
def test_static_keys_may_be_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert read(monkeypatch, **REQUIRED, WHARF_STATIC_KEYS=text).static_keys == frozenset()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("sk_the-key-itself", "Entry 2 is not name:tenant_id:sha256, where sha256 is the 64 hex digits of: printf"),
        ("ops:acme:sk_the-key-itself", "Entry 2 is not name:tenant_id:sha256"),
        (f"acme:{HASHES[1]}", "Entry 2 is not name:tenant_id:sha256"),
        (f"ops::{HASHES[1]}", "Entry 2 is not name:tenant_id:sha256"),
        (f":acme:{HASHES[1]}", "Entry 2 is not name:tenant_id:sha256"),
        (f"ops:acme:{HASHES[1]}0", "Entry 2 is not name:tenant_id:sha256"),
        (
            f"ops:ac/me:{HASHES[1]}",
            "Entry 2 has a tenant_id that cannot be. It must have 1 to 100 printable characters",
        ),
        (f"o/ps:acme:{HASHES[1]}", "Entry 2 has a name that cannot be. It must have 1 to 100 printable characters"),
        (f"ops:acme:{sha256().hexdigest()}", "Entry 2 has the hash of an empty key. Give the 64 hex digits of: printf"),
        (f"first:acme:{HASHES[1]}", "Two entries have the same name, so one would hide the other."),
        (f"ops:globex:{HASHES[0]}", "Two entries have the same sha256, so one would hide the other."),
    ],
)
def test_a_wrong_static_key_is_told_by_its_number_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, wrong: str, told: str
) -> None:
    refused = refusal(monkeypatch, **REQUIRED, WHARF_STATIC_KEYS=f"first:acme:{HASHES[0]},{wrong}")
    assert list(refused) == ["WHARF_STATIC_KEYS"]
    assert refused["WHARF_STATIC_KEYS"].startswith(told)
    assert "sk_" not in str(refused)
    assert HASHES[1] not in str(refused)


def test_shown_settings_hold_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"WHARF_S3_SECRET_ACCESS_KEY": "secret-key", "WHARF_STATIC_KEYS": f"ops:acme:{HASHES[0]}"}
    settings = read(monkeypatch, **REQUIRED, **secrets, WHARF_S3_ACCESS_KEY_ID="key-id")
    shown = repr(settings)
    assert settings.s3_secret_access_key == "secret-key"
    assert [word for word in ("pass-word", "secret-key", "postgresql://", "redis://", "acme") if word in shown] == []
    assert "s3_access_key_id='key-id'" in shown


def test_secret_keys_keep_their_order_since_the_first_encrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = f"{43 * 'B'}=", f"{43 * 'A'}="
    settings = read(monkeypatch, **REQUIRED, WHARF_SECRET_KEYS=f" {first} ,,{second}")
    assert settings.secret_keys == (first, second)
    assert first not in repr(settings)


@pytest.mark.parametrize("wrong", ["short", f"{44 * '!'}", f"{42 * 'A'}=="])
def test_a_wrong_secret_key_is_told_by_its_number_alone(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    told = refusal(monkeypatch, **REQUIRED, WHARF_SECRET_KEYS=f"{43 * 'A'}=,{wrong}")
    assert told == {
        "WHARF_SECRET_KEYS": "Entry 2 is not 32 bytes in URL-safe base64, as `wharf secrets new-key` makes them"
    }
