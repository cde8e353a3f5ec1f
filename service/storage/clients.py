"""How a bucket is reached, and the boto3 clients for it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver

from service.errors import StoreRefusedError
from service.storage.guarded import Dial, guard_client
from service.storage.roles import AssumedRole, RoleProvider
from service.storage.sessions import Keys, as_arguments, one_at_a_time, shared_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

Patience = Literal["patient", "brisk", "quick"]

_PATIENCE: dict[Patience, dict[str, Any]] = {
    # 4 tries with back-off ride out a restart of the store; what lasts longer is the task's own retry.
    "patient": {"connect_timeout": 5, "read_timeout": 60, "retries": {"mode": "standard", "total_max_attempts": 4}},
    # Somebody waits for the answer.
    "brisk": {"connect_timeout": 5, "read_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 2}},
    # A readiness probe must answer before the prober's own limit.
    "quick": {"connect_timeout": 2, "read_timeout": 2, "retries": {"mode": "standard", "total_max_attempts": 1}},
}

#: What to look at when a store refuses, where nobody says better.
OUR_REMEDY = "check the WHARF_S3_… settings"


@dataclass(frozen=True, slots=True)
class ServerEncryption:
    """How the store is asked to encrypt what is written; None leaves it to the bucket's own default."""

    algorithm: str | None = None
    kms_key_id: str | None = None

    def headers(self) -> dict[str, Any]:
        """What a request that begins an object carries."""
        asked = {"ServerSideEncryption": self.algorithm, "SSEKMSKeyId": self.kms_key_id}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketAccess:
    """A bucket and everything by which it is reached; two that are equal may share their clients.

    `is_probed`: readiness asks about it. Without `keys` and `role` credentials are looked for where AWS keeps them
    (profile, instance role). `dial` makes every connection, where there is one.
    """

    bucket: str
    region: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    is_probed: bool = False
    path_style: bool = False
    keys: Keys | None = None
    role: AssumedRole | None = None
    encryption: ServerEncryption = field(default_factory=ServerEncryption)
    dial: Dial | None = None
    connections: int = 10
    remedy: str = OUR_REMEDY
    refusal: type[StoreRefusedError] = StoreRefusedError
    patience: Patience = "patient"


def make_session(access: BucketAccess) -> boto3.session.Session:
    """A session with the credentials of the role of `access`; without a role the one that all share."""
    if access.role is None:
        return shared_session()
    core = botocore.session.Session()
    core.register_component("credential_provider", CredentialResolver([RoleProvider(access.role)]))
    return boto3.session.Session(botocore_session=core)


def make_client(
    session: boto3.session.Session, access: BucketAccess, endpoint: str | None, patience: Patience
) -> S3Client:
    """A client of one bucket's store."""
    config = _config(access, endpoint, _PATIENCE[patience])
    keys = as_arguments(access.keys)
    # The session of a role is nobody else's, and asks STS with a client of its own.
    with one_at_a_time if access.role is None else nullcontext():
        client = session.client("s3", endpoint_url=endpoint, region_name=access.region, config=config, **keys)
    if access.dial is not None:
        guard_client(client, access.dial)
    return client


def _config(access: BucketAccess, endpoint: str | None, patience: Mapping[str, Any]) -> Config:
    return Config(
        # The only signature that every store accepts, in links too.
        signature_version="s3v4",
        # Buckets as a path instead of a host name, which needs DNS entries of its own.
        # Bodies are signed too, one more SHA-256 of every byte on both sides (a third of the speed), except where
        # nobody can change them on their way.
        s3={
            "addressing_style": "path" if access.path_style else "auto",
            "payload_signing_enabled": not _is_protected(endpoint),
        },
        # boto3 otherwise adds CRC trailers, which many stores do not know; our own SHA-256 covers the whole object.
        request_checksum_calculation="when_required",
        # rclone sends the whole object's checksum with a range of it, which then never fits.
        response_checksum_validation="when_required",
        # One for each thread of a web process, and one for the part in flight of a worker.
        max_pool_connections=access.connections,
        # NAT gateways and load balancers forget silent connections.
        tcp_keepalive=True,
        # An endpoint of the operator's own environment is not for customers' buckets.
        ignore_configured_endpoint_urls=access.dial is not None,  # type: ignore[call-arg]  # not in the stubs
        **patience,
    )


def _is_protected(endpoint: str | None) -> bool:
    """Whether bytes reach `endpoint` by TLS or inside this machine; AWS itself (None) is reached by TLS."""
    parts = urlsplit(endpoint or "https://")
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "::1", "localhost"}
