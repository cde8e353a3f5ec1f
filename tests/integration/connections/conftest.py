"""Buckets of customers in each S3 server, and what leads to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from schemas.connections import NewConnectionSchema
from service.config import Settings
from service.connections.records import make_connection
from service.connections.terms import read_new
from service.db.models import Connection, Scope
from service.db.session import Sessions
from service.stack.servers import RunningServers
from service.storage.clients import BucketAccess
from service.storage.s3 import S3ObjectStore
from service.storage.sessions import Keys
from tests.fakes.stores import Front, Sts, run_front, run_sts

ROLE = "arn:aws:iam::123456789012:role/wharf"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The settings of a service that may reach this machine."""
    return replace(settings, allowed_hosts=frozenset({"127.0.0.1"}))


@dataclass(frozen=True)
class Theirs:
    """A bucket of a customer's own, and the keys to it."""

    endpoint: str
    bucket: str
    keys: Keys

    def store(self) -> S3ObjectStore:
        """As its owner sees it."""
        access = BucketAccess(
            bucket=self.bucket, region="us-east-1", endpoint=self.endpoint, path_style=True, keys=self.keys
        )
        return S3ObjectStore.open(access)

    def body(self, secret: dict[str, str] | None = None, **s3: Any) -> dict[str, Any]:
        """What creates a connection to it; `s3` and `secret` say otherwise."""
        given = {"aws_access_key_id": self.keys.access_key_id, "aws_secret_access_key": self.keys.secret_access_key}
        place = {"bucket": self.bucket, "endpoint_url": self.endpoint, "use_path_style": True}
        return {
            "name": "Theirs",
            "provider_type": "s3",
            "encrypted_secret_data": given if secret is None else secret,
            "sync_config": {"s3": {**place, **s3}},
        }


@pytest.fixture(params=["rclone", "swift"])
def theirs(request: pytest.FixtureRequest, servers: RunningServers) -> Theirs:
    """An empty bucket in each server."""
    bucket = f"theirs-{uuid4().hex}"
    if request.param == "rclone":
        keys = Keys(servers.s3.access_key_id, servers.s3.secret_access_key)
        made = Theirs(servers.s3.endpoint, bucket, keys)
    else:
        swift = request.getfixturevalue("swift").settings()
        keys = Keys(swift["WHARF_S3_ACCESS_KEY_ID"], swift["WHARF_S3_SECRET_ACCESS_KEY"])
        made = Theirs(swift["WHARF_S3_ENDPOINT"], bucket, keys)
    made.store().ensure_bucket()
    return made


@pytest.fixture
def front(theirs: Theirs) -> Iterator[Front]:
    """A server before theirs."""
    with run_front(theirs.endpoint) as running:
        yield running


NewSts = Callable[..., Sts]


@pytest.fixture
def new_sts(theirs: Theirs) -> Iterator[NewSts]:
    """Makes an STS whose role leads to their bucket."""
    with ExitStack() as running:

        def make(trusted: str, external_id: str | None, **more: Any) -> Sts:
            keys = (theirs.keys.access_key_id, theirs.keys.secret_access_key)
            return running.enter_context(run_sts(Sts({ROLE: external_id}, keys, {trusted}, **more)))

        yield make


Connect = Callable[..., Connection]


@pytest.fixture
def connect(settings: Settings, sessions: Sessions, scope: Scope) -> Connect:
    """Makes connections as the API does, and stores them."""

    def make(body: dict[str, Any], given: Settings = settings, owner: Scope = scope) -> Connection:
        terms = read_new(NewConnectionSchema().load(body), owner)
        made = make_connection(given, owner.id, str(body["name"]), terms)
        with sessions.begin() as session:
            session.add(made)
        return made

    return make
