"""Roles of AWS: somebody else's permissions for an hour, had from STS and had anew before they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.credentials import CredentialProvider, RefreshableCredentials

from service.errors import BucketRefusedError
from service.storage.sessions import Keys, as_arguments, one_at_a_time, shared_session
from service.storage.translate import translated

# The longest that a role may be had for by one who has a role himself.
_ROLE_SECONDS = 3600
# Links are signed with what is left of the hour, so it is had anew while there is enough of it for a link; where STS
# does not answer, what is left is used up to the last minutes.
_ENOUGH_SECONDS = 45 * 60
_NEEDED_SECONDS = 5 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedRole:
    """A role, and who assumes it: the owner of `keys`, or without them whoever AWS says that we are.

    `external_id` is what the role asks for, so that nobody else's wish makes us assume it. `endpoint` is STS, by
    default that of AWS in `region`.
    """

    arn: str
    session_name: str
    region: str
    external_id: str | None = None
    endpoint: str | None = None
    keys: Keys | None = None


def assume_role(role: AssumedRole) -> dict[str, str]:
    """Fresh credentials of the role, as botocore keeps them.

    Raises BucketRefusedError when STS says no, StoreUnavailableError when it does not answer.
    """
    external = {"ExternalId": role.external_id} if role.external_id else {}
    with translated("give the role", "check the role, whom it trusts and with which external id", BucketRefusedError):
        answer = _sts_client(role).assume_role(
            RoleArn=role.arn, RoleSessionName=role.session_name, DurationSeconds=_ROLE_SECONDS, **external
        )["Credentials"]
    return {
        "access_key": answer["AccessKeyId"],
        "secret_key": answer["SecretAccessKey"],
        "token": answer["SessionToken"],
        "expiry_time": answer["Expiration"].isoformat(),
    }


class RoleProvider(CredentialProvider):
    """Where a session finds the credentials of a role; they are had anew as long as they are used."""

    METHOD = "wharf-assume-role"

    def __init__(self, role: AssumedRole) -> None:
        """Nothing is asked before credentials are needed."""
        super().__init__()
        self._role = role

    def load(self) -> RefreshableCredentials:
        """Credentials of the role; raises as `assume_role`."""
        credentials: RefreshableCredentials = RefreshableCredentials.create_from_metadata(
            metadata=assume_role(self._role),
            refresh_using=lambda: assume_role(self._role),
            method=self.METHOD,
            advisory_timeout=_ENOUGH_SECONDS,
            mandatory_timeout=_NEEDED_SECONDS,
        )
        return credentials


def _sts_client(role: AssumedRole) -> Any:
    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    keys = as_arguments(role.keys)
    with one_at_a_time:
        return shared_session().client(
            "sts", endpoint_url=role.endpoint, region_name=role.region, config=config, **keys
        )
