"""A connection is accepted when an object can be written, read and deleted; each failure is named."""

import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.config import Settings
from service.connections.access import store_of
from service.connections.terms import own_external_id
from service.db.models import Scope
from service.errors import StoreRefusedError, ValidationError
from service.storage.multipart import MIB, MultipartWriter
from tests.fakes.stores import Front
from tests.integration.connections.conftest import ROLE, Connect, NewSts, Theirs

#: Where it does not matter which.
one_server = pytest.mark.parametrize("theirs", ["rclone"], indirect=True)


def refusal(connect: Connect, body: dict[str, Any], *given: Settings) -> dict[str, Any]:
    """Why a connection is not accepted."""
    with pytest.raises(ValidationError) as refused:
        connect(body, *given)
    return {"message": refused.value.message, **refused.value.details}


def test_a_bucket_that_does_as_asked_is_accepted_and_left_empty(
    connect: Connect, settings: Settings, theirs: Theirs, front: Front
) -> None:
    made = connect(theirs.body(endpoint_url=front.endpoint, key_prefix="a/b"))
    key = front.seen[0].target.partition("?")[0]
    assert key.startswith(f"/{theirs.bucket}/a/b/wharf-check-")
    assert [(seen.method, seen.target.partition("?")[0]) for seen in front.seen] == [
        ("PUT", key), ("GET", key), ("DELETE", key),
    ]  # fmt: skip
    store = store_of(settings, made)
    store.put("a/b/c", b"x", "text/plain", {})
    assert theirs.store().open_range("a/b/c", 0, 1) == b"x"


@pytest.mark.parametrize(("method", "step"), [("PUT", "write"), ("GET", "read"), ("DELETE", "delete")])
def test_the_step_that_is_refused_is_named_with_its_remedy(
    connect: Connect, theirs: Theirs, front: Front, method: str, step: str
) -> None:
    front.refused = {method}
    told = refusal(connect, theirs.body(endpoint_url=front.endpoint))
    assert told["message"] == f"The connection does not work: step {step}: {told['reason']}"
    assert told["step"] == step
    assert "403 AccessDenied" in told["reason"]
    assert told["remedy"].startswith("allow s3:")


@one_server
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_an_answer_without_end_is_not_read_to_its_end(
    connect: Connect, theirs: Theirs, front: Front, method: str
) -> None:
    front.refused, front.padding_bytes = {method}, 9 * MIB
    told = refusal(connect, theirs.body(endpoint_url=front.endpoint))
    assert told["reason"].endswith("(HTTPClientError)")


@one_server
def test_what_was_written_before_another_step_failed_is_deleted(connect: Connect, theirs: Theirs, front: Front) -> None:
    front.refused = {"GET"}
    refusal(connect, theirs.body(endpoint_url=front.endpoint))
    assert [seen.method for seen in front.seen] == ["PUT", "GET", "DELETE"]


def test_wrong_keys_are_told_without_showing_them(connect: Connect, theirs: Theirs) -> None:
    wrong = {"aws_access_key_id": theirs.keys.access_key_id, "aws_secret_access_key": "not-the-secret"}
    told = refusal(connect, theirs.body(wrong))
    assert told["step"] == "write"
    assert "403" in told["reason"]
    assert "not-the-secret" not in str(told)
    assert theirs.keys.access_key_id not in str(told)


def test_a_bucket_that_is_not_there_is_named(connect: Connect, theirs: Theirs) -> None:
    told = refusal(connect, theirs.body(bucket="nobodys-bucket"))
    assert (told["step"], told["bucket"]) == ("write", "nobodys-bucket")


@one_server
def test_a_store_that_does_not_answer_is_told(connect: Connect, theirs: Theirs) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    told = refusal(connect, theirs.body(endpoint_url=nobody))
    assert (told["step"], "EndpointConnectionError" in told["reason"]) == ("write", True)


@one_server
@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1", "https://127.0.0.1", "https://10.0.0.1", "https://a.example:9"]
)
def test_an_endpoint_that_is_not_public_is_refused_before_anything_is_sent(
    connect: Connect, settings: Settings, theirs: Theirs, endpoint: str
) -> None:
    told = refusal(connect, theirs.body(endpoint_url=endpoint), replace(settings, allowed_hosts=frozenset()))
    assert told["field"] == "sync_config.s3.endpoint_url"
    assert "WHARF_ALLOWED_HOSTS" in told["remedy"]


@pytest.mark.parametrize(
    ("asked", "headers"),
    [
        ({"encryption": "AES256"}, ("AES256", None)),
        ({"encryption": "aws:kms"}, ("aws:kms", None)),
        ({"encryption": "aws:kms", "kms_key_id": "alias/ours"}, ("aws:kms", "alias/ours")),
        ({"encryption": "aws:kms:dsse", "kms_key_id": "1234"}, ("aws:kms:dsse", "1234")),
    ],
)
# Swift answers 501 to any of them.
@one_server
def test_objects_are_asked_to_be_encrypted_small_and_large_ones(
    connect: Connect,
    settings: Settings,
    theirs: Theirs,
    front: Front,
    asked: dict[str, Any],
    headers: tuple[str, str | None],
) -> None:
    front.encrypts = True
    made = connect(theirs.body(endpoint_url=front.endpoint, **asked))
    assert front.asked_encryption() == {"PUT": headers}
    store = store_of(settings, made)
    with MultipartWriter(store, "big", content_type="text/csv", metadata={}, part_bytes=5 * MIB) as writer:
        writer.write(bytes(6 * MIB))
        writer.complete()
    assert front.asked_encryption() == {"PUT": headers, "POST": headers}
    encrypted = {(seen.method, seen.target.partition("?")[2].partition("=")[0]) for seen in front.seen
                 if "x-amz-server-side-encryption" in seen.headers}  # fmt: skip
    # Parts must not name it again.
    assert encrypted == {("PUT", ""), ("POST", "uploads")}


@pytest.mark.parametrize("asked", ["AES256", "aws:kms"])
@pytest.mark.parametrize(
    ("theirs", "step", "reason"),
    [
        ("rclone", "encrypt", "the store did not say that it encrypts with {asked}, but nothing"),
        ("swift", "write", "The object store refused to write an object (501 NotImplemented)"),
    ],
    indirect=["theirs"],
)
def test_a_store_that_cannot_encrypt_is_refused_whether_it_says_so_or_not(
    connect: Connect, theirs: Theirs, asked: str, step: str, reason: str
) -> None:
    told = refusal(connect, theirs.body(encryption=asked))
    assert (told["step"], told["reason"]) == (step, reason.format(asked=asked))


def test_a_role_is_assumed_with_the_service_s_own_keys_and_the_external_id_of_the_scope(
    connect: Connect, settings: Settings, theirs: Theirs, scope: Scope, new_sts: NewSts
) -> None:
    external_id = own_external_id(scope)
    sts = new_sts(str(settings.s3_access_key_id), external_id)
    given = replace(settings, sts_endpoint=sts.endpoint)
    made = connect(theirs.body({}, role_arn=ROLE), given)
    assert (made.external_id, made.sealed_secret) == (external_id, None)
    first = sts.asked[0]
    assert {name: first[name] for name in ("RoleArn", "ExternalId", "RoleSessionName", "DurationSeconds")} == {
        "RoleArn": ROLE, "ExternalId": external_id, "RoleSessionName": made.id, "DurationSeconds": "3600",
    }  # fmt: skip
    asked = len(sts.asked)
    store = store_of(given, made)
    store.put("a", b"x", "text/plain", {})
    assert store_of(given, made).open_range("a", 0, 1) == b"x"
    assert len(sts.asked) == asked + 1


@one_server
def test_a_role_that_anybody_could_use_through_the_service_is_refused(
    connect: Connect, settings: Settings, theirs: Theirs, new_sts: NewSts
) -> None:
    sts = new_sts(str(settings.s3_access_key_id), None)
    told = refusal(connect, theirs.body({}, role_arn=ROLE), replace(settings, sts_endpoint=sts.endpoint))
    assert (told["step"], told["reason"]) == ("assume", "The role can be had without its external id")


@one_server
def test_a_role_that_trusts_somebody_else_is_told_with_the_external_id_to_ask_for(
    connect: Connect, settings: Settings, theirs: Theirs, scope: Scope, new_sts: NewSts
) -> None:
    sts = new_sts("somebody-else", None)
    told = refusal(connect, theirs.body({}, role_arn=ROLE), replace(settings, sts_endpoint=sts.endpoint))
    assert (told["step"], "403 AccessDenied" in told["reason"]) == ("assume", True)
    assert own_external_id(scope) in told["remedy"]


@one_server
def test_a_role_is_assumed_with_keys_of_the_customer_s_own_and_an_external_id_of_their_choice(
    connect: Connect, settings: Settings, theirs: Theirs, new_sts: NewSts
) -> None:
    sts = new_sts("AKIATHEIRS", "theirs")
    given = replace(settings, sts_endpoint=sts.endpoint)
    keys = {"aws_access_key_id": "AKIATHEIRS", "aws_secret_access_key": "hush"}
    made = connect(theirs.body(keys, role_arn=ROLE, external_id="theirs"), given)
    assert [form["ExternalId"] for form in sts.asked] == ["theirs"]
    store_of(given, made).put("a", b"x", "text/plain", {})
    assert theirs.store().head("a") is not None


@one_server
def test_a_role_that_is_taken_away_midway_ends_with_the_reason(
    connect: Connect, settings: Settings, theirs: Theirs, scope: Scope, new_sts: NewSts
) -> None:
    sts = new_sts(str(settings.s3_access_key_id), own_external_id(scope), lives=timedelta(minutes=4))
    given = replace(settings, sts_endpoint=sts.endpoint)
    store = store_of(given, connect(theirs.body({}, role_arn=ROLE), given))
    asked = len(sts.asked)
    # What is left of four minutes is not enough, so the role is asked for again.
    store.put("a", b"x", "text/plain", {})
    assert len(sts.asked) == asked + 1
    sts.roles.clear()
    with pytest.raises(StoreRefusedError, match="refused to give the role"):
        store.put("a", b"x", "text/plain", {})


@one_server
def test_temporary_keys_are_sent_with_their_token(connect: Connect, theirs: Theirs, front: Front) -> None:
    secret = {
        "aws_access_key_id": theirs.keys.access_key_id,
        "aws_secret_access_key": theirs.keys.secret_access_key,
        "aws_session_token": "temporary",
    }
    front.refused = {"PUT"}
    refusal(connect, theirs.body(secret, endpoint_url=front.endpoint))
    assert [seen.headers["x-amz-security-token"] for seen in front.seen] == ["temporary"]
