"""What the real store does with answers that a local server does not give."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import ANY, Stubber

from service.errors import (
    NotFoundError,
    SourceChangedError,
    StoreRefusedError,
    StoreUnavailableError,
    WharfError,
)
from service.storage.s3 import S3ObjectStore

Scripted = tuple[S3ObjectStore, Stubber]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A store whose server gives scripted answers; all of them must be asked for."""
    client = boto3.session.Session().client(
        "s3", region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    with Stubber(client) as answers:
        yield S3ObjectStore("rows", client, client, client), answers
        answers.assert_no_pending_responses()
    client.close()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchKey", 404, NotFoundError),
        ("NoSuchBucket", 404, StoreRefusedError),
        ("PreconditionFailed", 412, SourceChangedError),
        ("InvalidRange", 416, SourceChangedError),
        ("AccessDenied", 403, StoreRefusedError),
        ("ExpiredToken", 400, StoreRefusedError),
        ("RequestTimeout", 400, StoreUnavailableError),
        ("TooManyRequests", 429, StoreUnavailableError),
        ("SlowDown", 503, StoreUnavailableError),
        ("InternalError", 500, StoreUnavailableError),
        ("NotImplemented", 501, StoreRefusedError),
        ("EntityTooLarge", 400, StoreRefusedError),
    ],
)
def test_each_refusal_becomes_the_error_that_says_whose_move_it_is(
    scripted: Scripted, code: str, status: int, kind: type[WharfError]
) -> None:
    store, answers = scripted
    answers.add_client_error("get_object", code, http_status_code=status)
    with pytest.raises(kind) as error:
        store.open_range("a/b", 0, 10)
    assert type(error.value) is kind


def test_an_answer_that_is_not_s3_s_is_a_refusal(scripted: Scripted) -> None:
    store, answers = scripted
    answers.add_response("put_object", {})
    with pytest.raises(StoreRefusedError, match="refused to write an object"):
        store.put("a/b", b"x", "text/csv", {})


def test_a_missing_bucket_is_made_in_its_region_with_rules_for_browsers(scripted: Scripted) -> None:
    store, answers = scripted
    place = {"Bucket": "rows", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    answers.add_client_error("head_bucket", "404", http_status_code=404)
    answers.add_response("create_bucket", {}, place)
    answers.add_client_error("get_bucket_cors", "NoSuchCORSConfiguration", http_status_code=404)
    answers.add_response("put_bucket_cors", {}, {"Bucket": "rows", "CORSConfiguration": ANY})
    store.ensure_bucket()


def test_a_bucket_that_another_process_made_meanwhile_is_used(scripted: Scripted) -> None:
    store, answers = scripted
    answers.add_client_error("head_bucket", "404", http_status_code=404)
    answers.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", http_status_code=409)
    answers.add_response("head_bucket", {})
    answers.add_client_error("get_bucket_cors", "NotImplemented", http_status_code=501)
    store.ensure_bucket()


def test_a_bucket_of_somebody_else_is_refused(scripted: Scripted) -> None:
    store, answers = scripted
    answers.add_client_error("head_bucket", "404", http_status_code=404)
    answers.add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)
    answers.add_client_error("head_bucket", "403", http_status_code=403)
    with pytest.raises(StoreRefusedError, match="open the bucket rows"):
        store.ensure_bucket()


def test_rules_that_an_operator_made_stay(scripted: Scripted) -> None:
    store, answers = scripted
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://app.example"]}
    answers.add_response("head_bucket", {})
    answers.add_response("get_bucket_cors", {"CORSRules": [rule]})
    store.ensure_bucket()


def test_a_bucket_whose_rules_may_not_be_read_is_refused(scripted: Scripted) -> None:
    store, answers = scripted
    answers.add_response("head_bucket", {})
    answers.add_client_error("get_bucket_cors", "AccessDenied", http_status_code=403)
    with pytest.raises(StoreRefusedError, match="403 AccessDenied"):
        store.ensure_bucket()
