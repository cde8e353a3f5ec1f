"""What may be asked of a connection, before any store is asked."""

from typing import Any

import pytest

from schemas.connections import ConnectionChangeSchema, NewConnectionSchema
from service.connections.terms import Terms, own_external_id, read_change, read_new
from service.db.models import Connection, Scope
from service.errors import ValidationError

SCOPE = Scope(id=1, tenant_id="acme", environment_id="live")
KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "hush"}
BUCKET = {"bucket": "acme-billing", "region": "eu-west-1"}
KMS = {"encryption": "aws:kms", "kms_key_id": "alias/x"}
ROLE = "arn:aws:iam::123456789012:role/wharf"
COLUMNS = {
    "bucket": "acme-billing",
    "region": "eu-west-1",
    "key_prefix": "",
    "endpoint_url": None,
    "use_path_style": False,
    "encryption": None,
    "kms_key_id": None,
    "compression": None,
    "role_arn": None,
    "external_id": None,
    "is_managed": False,
}


def new(s3: dict[str, Any] | None, secret: dict[str, Any] | None = None, **more: Any) -> Terms:
    """The terms of a body."""
    body = {"name": "x", "provider_type": "s3", "encrypted_secret_data": secret, **more}
    return read_new(NewConnectionSchema().load({**body, "sync_config": {"s3": s3}}), SCOPE)


def change(stored: dict[str, Any], s3: dict[str, Any] | None, secret: dict[str, Any] | None = None) -> Terms:
    """The terms after a change of a connection with these columns."""
    connection = Connection(id="conn_1", sealed_secret="sealed", **{**COLUMNS, **stored})
    body = ConnectionChangeSchema().load({"sync_config": {"s3": s3}, "encrypted_secret_data": secret})
    return read_change(body, connection, SCOPE)


def refusal(s3: dict[str, Any] | None, secret: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What is said of each field of a body that is refused."""
    with pytest.raises(ValidationError) as refused:
        new(s3, secret, **more)
    return refused.value.details


@pytest.mark.parametrize(
    ("s3", "columns"),
    [
        (BUCKET, {}),
        ({**BUCKET, "key_prefix": "/a/b"}, {"key_prefix": "a/b/"}),
        ({**BUCKET, "encryption": "", "kms_key_id": None, "unknown": 1}, {}),
        ({**BUCKET, **KMS}, KMS),
        ({**BUCKET, "encryption": "AES256", "compression": "gzip"}, {"encryption": "AES256", "compression": "gzip"}),
        (
            {"bucket": "acme-billing", "endpoint_url": "https://objects.example.com/", "use_path_style": True},
            {"region": "us-east-1", "endpoint_url": "https://objects.example.com", "use_path_style": True},
        ),
        (
            {**BUCKET, "role_arn": ROLE, "external_id": "theirs"},
            {"role_arn": ROLE, "external_id": "theirs"},
        ),
    ],
)  # fmt: skip
def test_a_bucket_with_keys(s3: dict[str, Any], columns: dict[str, Any]) -> None:
    assert new(s3, KEYS) == Terms({**COLUMNS, **columns}, KEYS)


def test_a_role_without_keys_has_the_external_id_of_its_scope() -> None:
    ours = own_external_id(SCOPE)
    assert new({**BUCKET, "role_arn": ROLE}) == Terms({**COLUMNS, "role_arn": ROLE, "external_id": ours}, {})
    assert new({**BUCKET, "role_arn": ROLE, "external_id": ours}).columns["external_id"] == ours
    told = refusal({**BUCKET, "role_arn": ROLE, "external_id": "theirs"})
    assert told == {
        "sync_config.s3.external_id": [
            f"The service assumes the role with its own keys, so the role must ask for {ours}; leave it out."
        ]
    }
    assert own_external_id(Scope(tenant_id="acme", environment_id="test")) != ours


def test_a_managed_connection_needs_nothing_and_keeps_to_its_scope() -> None:
    managed = {**COLUMNS, "bucket": "", "region": "", "key_prefix": "acme/live/", "is_managed": True}
    assert new({"is_flexprice_managed": True, "bucket": "other", "key_prefix": "a"}, KEYS) == Terms(managed, {})


@pytest.mark.parametrize(
    ("s3", "secret", "fields"),
    [
        (None, KEYS, {"sync_config.s3.bucket", "sync_config.s3.region"}),
        ({"bucket": "b"}, KEYS, {"sync_config.s3.bucket", "sync_config.s3.region"}),
        ({**BUCKET, "bucket": "a/b"}, KEYS, {"sync_config.s3.bucket"}),
        ({**BUCKET, "region": "evil.example#"}, KEYS, {"sync_config.s3.region"}),
        ({**BUCKET, "key_prefix": "a//b"}, KEYS, {"sync_config.s3.key_prefix"}),
        ({**BUCKET, "endpoint_url": "https://a.example/x"}, KEYS, {"sync_config.s3.endpoint_url"}),
        ({**BUCKET, "endpoint_url": "https://a.example?x"}, KEYS, {"sync_config.s3.endpoint_url"}),
        ({**BUCKET, "endpoint_url": "https://[a"}, KEYS, {"sync_config.s3.endpoint_url"}),
        ({**BUCKET, "encryption": "aes"}, KEYS, {"sync_config.s3.encryption"}),
        ({**BUCKET, "kms_key_id": "k"}, KEYS, {"sync_config.s3.kms_key_id"}),
        ({**BUCKET, "encryption": "AES256", "kms_key_id": "k"}, KEYS, {"sync_config.s3.kms_key_id"}),
        ({**BUCKET, "encryption": "aws:kms", "kms_key_id": "a\nb"}, KEYS, {"sync_config.s3.kms_key_id"}),
        ({**BUCKET, "compression": "lzma"}, KEYS, {"sync_config.s3.compression"}),
        ({**BUCKET, "role_arn": "arn:aws:iam::1:user/x"}, KEYS, {"sync_config.s3.role_arn"}),
        ({**BUCKET, "external_id": "id"}, KEYS, {"sync_config.s3.external_id"}),
        ({**BUCKET, "role_arn": ROLE, "external_id": "!"}, KEYS, {"sync_config.s3.external_id"}),
        (BUCKET, None, {"encrypted_secret_data"}),
        (BUCKET, {}, {"encrypted_secret_data"}),
        (BUCKET, {"aws_access_key_id": "AKIA"}, {"encrypted_secret_data.aws_secret_access_key"}),
        (BUCKET, {"aws_session_token": "t"}, {
            "encrypted_secret_data.aws_access_key_id", "encrypted_secret_data.aws_secret_access_key",
        }),
        (BUCKET, {**KEYS, "aws_session_token": "a b"}, {"encrypted_secret_data.aws_session_token"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_under_its_field(
    s3: dict[str, Any] | None, secret: dict[str, Any] | None, fields: set[str]
) -> None:
    told = refusal(s3, secret)
    assert set(told) == fields
    assert not any(value in str(told) for value in (secret or {}).values() if value != "t")


def test_another_provider_is_refused_by_name() -> None:
    assert refusal(BUCKET, KEYS, provider_type="gcs") == {"provider_type": ["'gcs' is not one of s3."]}


def test_a_change_keeps_what_it_does_not_name_and_clears_what_it_empties() -> None:
    stored = {"key_prefix": "a/", "encryption": "aws:kms", "kms_key_id": "k"}
    assert change(stored, {"key_prefix": "b", "kms_key_id": ""}) == Terms(
        {**COLUMNS, "key_prefix": "b/", "encryption": "aws:kms", "kms_key_id": None}, None
    )
    assert change(stored, None, KEYS) == Terms({**COLUMNS, **stored}, KEYS)


@pytest.mark.parametrize(
    ("s3", "field"),
    [
        ({"bucket": "other"}, "bucket"),
        ({"endpoint_url": "https://objects.example.com"}, "endpoint_url"),
        ({"is_flexprice_managed": True}, "is_flexprice_managed"),
    ],
)
def test_another_bucket_is_another_connection(s3: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        change({}, s3)
    assert list(refused.value.details) == [f"sync_config.s3.{field}"]
    assert "create another connection" in str(refused.value.details)


def test_a_role_without_keys_keeps_its_own_external_id_when_keys_come() -> None:
    ours = own_external_id(SCOPE)
    stored = {"role_arn": ROLE, "external_id": ours}
    assert change(stored, {"external_id": "theirs"}, KEYS).columns["external_id"] == "theirs"
