"""Bodies of connections: customers' own buckets."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.base import AnswerSchema, BodySchema, Instant, WholeNumber, count, one_of, told
from schemas.vocabulary import Encryption, ProviderType, RowStatus

CONNECTION_ID = "conn_01KA2NB6V4Z8RX1M5QD0TC7HGE"
_USER_ID = "user_01KA2NH5W7B3S9QX4YJ0DTVM8C"
_NOT_BLANK = validate.Length(min=1)
_NAME = validate.Length(min=1, max=255)
_BIGINT_MAX = 2**63 - 1


class _Text(fields.String):
    """A text that may be left out; null is as good."""

    def __init__(self, description: str, example: str | None, **options: Any) -> None:
        super().__init__(allow_none=True, metadata=told(description, example), **options)


class SecretSchema(BodySchema):
    """The credentials of a bucket, in clear; stored encrypted and never shown."""

    aws_access_key_id = _Text("The access key's id.", "AKIAIOSFODNN7EXAMPLE")
    aws_secret_access_key = _Text("Its secret.", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    aws_session_token = _Text("The token of temporary keys; they end, and so does the use of the connection.", None)


class BucketSchema(BodySchema):
    """Where a bucket is, and how it is used."""

    bucket = _Text("Its name.", "acme-billing")
    region = _Text("Its region; us-east-1 if there is an `endpoint_url` and no region.", "eu-west-1")
    key_prefix = _Text("Keys begin with it: nothing outside is read or written.", "flexprice")
    endpoint_url = _Text(
        "Another store than AWS: an https URL of a publicly routable host, or of one that the operator allows.",
        "https://objects.example.com",
    )
    use_path_style = fields.Boolean(
        allow_none=True,
        metadata=told("Whether the bucket is named in the path of URLs instead of the host's name.", example=True),
    )
    encryption = _Text(
        "What the store is asked to encrypt objects with: AES256, aws:kms or aws:kms:dsse. Without it the store does "
        "as the bucket says.",
        "AES256",
    )
    kms_key_id = _Text("With aws:kms: the key; without it the store's own.", None)
    compression = _Text("Kept for schedules: none, gzip or zstd.", "gzip")
    role_arn = _Text("A role to be assumed, with the keys that are given or else with those of the service.", None)
    external_id = _Text(
        "What the role asks for. A role that the service assumes with its own keys must ask for the external id that "
        "the service has for this tenant and environment; leave it out to be told.",
        None,
    )
    is_flexprice_managed = fields.Boolean(
        allow_none=True,
        metadata=told("The service's own bucket: no bucket and no credentials are needed.", example=False),
    )


class SyncConfigSchema(BodySchema):
    """What a connection leads to."""

    s3 = fields.Nested(BucketSchema, allow_none=True)


class _Secret(fields.Nested):
    """Credentials; what is wrong with them is told without repeating them."""

    def __init__(self) -> None:
        meaning = {"description": "The credentials, in clear; never shown again."}
        super().__init__(SecretSchema, load_default=None, allow_none=True, metadata=meaning)


def _metadata() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        load_default=None,
        allow_none=True,
        metadata=told("Anything the caller wants to keep with it.", {"owner": "billing"}),
    )


class NewConnectionSchema(BodySchema):
    """A connection to create."""

    name = fields.String(required=True, validate=_NAME, metadata=told("What the caller calls it.", "Acme bucket"))
    provider_type = one_of(ProviderType, "Who keeps the objects.", "s3", required=True, validate=_NOT_BLANK)
    encrypted_secret_data = _Secret()
    sync_config = fields.Nested(SyncConfigSchema, load_default=None, allow_none=True)
    metadata = _metadata()


class ConnectionChangeSchema(BodySchema):
    """What is to be changed: keys that are left out or null stay, "" clears a text of `sync_config.s3`."""

    name = fields.String(
        load_default=None, allow_none=True, validate=_NAME, metadata=told("What the caller calls it.", "Acme bucket")
    )
    encrypted_secret_data = _Secret()
    sync_config = fields.Nested(SyncConfigSchema, load_default=None, allow_none=True)
    metadata = _metadata()


class ConnectionQuerySchema(BodySchema):
    """Which connections of the environment to list."""

    limit = WholeNumber(
        load_default=50, metadata=told("The longest page. More than 1000 means 1000, 0 and less mean 50.", 50)
    )
    offset = WholeNumber(
        load_default=0,
        validate=validate.Range(max=_BIGINT_MAX),
        metadata=told("How many matches to leave out before the page; less than 0 means none.", 0),
    )
    provider_type = fields.String(load_default=None, metadata=told("Only those of this provider.", "s3"))
    status = fields.String(load_default=None, metadata=told("published, which it is if absent, or deleted.", "deleted"))


class _Count(fields.Integer):
    """A whole number as JSON has it: 7.0 is one, "7" and true are none."""

    def __init__(self, description: str, example: int) -> None:
        meaning = told(description, example, minimum=-_BIGINT_MAX, maximum=_BIGINT_MAX)
        super().__init__(load_default=example, allow_none=True, metadata=meaning)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        """Null never comes here, and is as good as absent."""
        is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())
        if not is_whole or abs(value) > _BIGINT_MAX:
            raise ValidationError("Not a valid integer.")
        return int(value)


class ConnectionSearchSchema(BodySchema):
    """Which connections of the environment to search for."""

    limit = _Count("The longest page. More than 1000 means 1000, 0 and less mean 50.", 50)
    offset = _Count("How many matches to leave out before the page; less than 0 means none.", 0)
    provider_type = _Text("Only those of this provider.", "s3", load_default=None)
    status = _Text("published, which it is if absent, or deleted.", "published", load_default=None)
    connection_ids = fields.List(
        fields.String(),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=1000, error="Must be at most {max} ids."),
        metadata=told("Only these, at most 1000.", [CONNECTION_ID]),
    )


class ShownBucketSchema(AnswerSchema):
    """Where a bucket is, and how it is used; every key is there, null where it has no value."""

    bucket = _Text("Its name.", "acme-billing")
    region = _Text("Its region.", "eu-west-1")
    key_prefix = fields.String(metadata=told('What keys begin with: "" or ending in `/`.', "flexprice/"))
    endpoint_url = _Text("Another store than AWS.", "https://objects.example.com")
    use_path_style = fields.Boolean(metadata=told("Whether the bucket is in the path of URLs.", example=True))
    encryption = one_of(Encryption, "What the store is asked to encrypt with.", "AES256", allow_none=True)
    kms_key_id = _Text("The key of aws:kms.", None)
    compression = _Text("none, gzip or zstd.", "gzip")
    role_arn = _Text("The role that is assumed.", None)
    external_id = _Text("What the role must ask for.", None)
    is_flexprice_managed = fields.Boolean(metadata=told("Whether it is the service's own bucket.", example=False))


class ShownSyncConfigSchema(AnswerSchema):
    """What a connection leads to."""

    s3 = fields.Nested(ShownBucketSchema)


class ConnectionSchema(AnswerSchema):
    """A connection, without its credentials."""

    id = fields.String(metadata=told("Names the connection.", CONNECTION_ID, maxLength=100))
    name = fields.String(metadata=told("What the caller calls it.", "Acme bucket"))
    provider_type = one_of(ProviderType, "Who keeps the objects.", "s3")
    sync_config = fields.Nested(ShownSyncConfigSchema)
    metadata = fields.Dict(
        keys=fields.String(), allow_none=True, metadata=told("As the caller gave it.", {"owner": "billing"})
    )
    environment_id = fields.String(metadata=told("Whose environment it is.", "live"))
    tenant_id = fields.String(metadata=told("Whose it is.", "acme"))
    status = one_of(RowStatus, "Whether it is in use.", "published")
    created_at = Instant(metadata=told("When it was created.", "2026-03-02T09:14:06.901Z"))
    updated_at = Instant(metadata=told("When it last changed.", "2026-03-02T09:14:06.901Z"))
    created_by = fields.String(metadata=told("The user of the key.", _USER_ID))
    updated_by = fields.String(metadata=told("The same of the last change.", _USER_ID))


class ConnectionPageSchema(AnswerSchema):
    """Some of the connections."""

    connections = fields.List(fields.Nested(ConnectionSchema))
    total = count("How many match.", 1)
    limit = count("At most so many are here.", 50)
    offset = fields.Integer(metadata=told("How many were passed over.", 0))


_BUCKET: dict[str, Any] = {"bucket": "acme-billing", "region": "eu-west-1", "key_prefix": "flexprice"}
_KEYS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}


def _example(summary: str, s3: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"name": "Acme bucket", "provider_type": "s3", **more, "sync_config": {"s3": s3}}
    return {"summary": summary, "value": body}


#: Bodies to create with, one of each kind.
NEW_CONNECTIONS: dict[str, dict[str, Any]] = {
    "keys": _example("A bucket by its keys", {**_BUCKET, "encryption": "AES256"}, encrypted_secret_data=_KEYS),
    "role": _example(
        "A bucket by a role, which the service assumes with its own keys",
        {**_BUCKET, "role_arn": "arn:aws:iam::123456789012:role/wharf", "encryption": "aws:kms"},
    ),
    "other_store": _example(
        "A bucket elsewhere",
        {**_BUCKET, "endpoint_url": "https://objects.example.com", "use_path_style": True},
        encrypted_secret_data=_KEYS,
    ),
    "managed": _example("The service's own bucket", {"is_flexprice_managed": True}),
}
