"""What the two S3 servers know of S3: the facts behind docs/object-stores.md, and behind what Wharf does without."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from service.config import Settings
from service.storage.multipart import MIB
from service.storage.s3 import S3ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "some rows.csv"
PART = b"x" * (5 * MIB)
OTHER = '"00000000000000000000000000000000"'


@dataclass(frozen=True)
class Server:
    """A server with an empty bucket, asked without any of Wharf's own code between."""

    client: "S3Client"
    bucket: str
    name: str

    def call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """One request about KEY."""
        answer: Mapping[str, Any] = getattr(self.client, operation)(Bucket=self.bucket, Key=KEY, **arguments)
        return answer

    def upload(self, sizes_by_number: Mapping[int, int]) -> int:
        """Upload parts in the order given, and complete them in the order of their numbers; the object's length."""
        upload_id = self.call("create_multipart_upload")["UploadId"]
        etags = {
            number: self.call("upload_part", UploadId=upload_id, PartNumber=number, Body=b"x" * size)["ETag"]
            for number, size in sizes_by_number.items()
        }
        parts = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
        self.call("complete_multipart_upload", UploadId=upload_id, MultipartUpload={"Parts": parts})
        length: int = self.call("head_object")["ContentLength"]
        return length


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A server by boto3 with no retries."""
    store = S3ObjectStore.from_settings(settings)
    store.ensure_bucket()
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    name = "swift" if ":" in (settings.s3_access_key_id or "") else "rclone"
    yield Server(client, settings.s3_bucket, name)
    client.close()


def outcome(call: Callable[[], object]) -> object:
    """What a call gives, or the status and the code with which it is refused."""
    try:
        return call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{status} {error.response['Error']['Code']}"


def status(answer: Mapping[str, Any]) -> int:
    found: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return found


def test_parts_may_come_in_any_order_and_be_of_any_size_from_5_mib(server: Server) -> None:
    assert server.upload({3: 1, 1: 5 * MIB, 2: 6 * MIB}) == 11 * MIB + 1


def test_numbers_of_parts_may_have_gaps_on_swift_only(server: Server) -> None:
    found = outcome(lambda: server.upload({1: 5 * MIB, 10_000: 1}))
    assert found == {"swift": 5 * MIB + 1, "rclone": "400 InvalidPart"}[server.name]


def test_small_parts_before_the_last_are_refused_by_swift_only(server: Server) -> None:
    found = outcome(lambda: server.upload({1: MIB, 2: MIB}))
    assert found == {"swift": "400 EntityTooSmall", "rclone": 2 * MIB}[server.name]


@pytest.mark.parametrize("sizes", [{}, {1: 5 * MIB, 2: 5}])
def test_links_give_ranges_of_objects_of_one_part_or_several(server: Server, sizes: dict[int, int]) -> None:
    server.call("put_object", Body=b"x" * (5 * MIB + 5))
    if sizes:
        server.upload(sizes)
    link = server.client.generate_presigned_url("get_object", Params={"Bucket": server.bucket, "Key": KEY})
    with urllib3.PoolManager() as pools:
        answers = [pools.request("GET", link, headers={"Range": f"bytes={wanted}"}) for wanted in ("5-9", "-3")]
        past = pools.request("GET", link, headers={"Range": "bytes=99999999-"})
    # rclone sends the range that was asked for, but calls it 200.
    assert {answer.status for answer in answers} == {{"swift": 206, "rclone": 200}[server.name]}
    assert [answer.data for answer in answers] == [b"xxxxx", b"xxx"]
    assert [answer.headers["Content-Range"] for answer in answers] == [
        f"bytes 5-9/{5 * MIB + 5}",
        f"bytes {5 * MIB + 2}-{5 * MIB + 4}/{5 * MIB + 5}",
    ]
    assert past.status == 416


def test_links_end(server: Server) -> None:
    server.call("put_object", Body=b"x")
    parameters = {"Bucket": server.bucket, "Key": KEY}
    link = server.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=1)
    with urllib3.PoolManager() as pools:
        statuses = (pools.request("GET", link).status for _ in range(100_000))
        ended = next(status for status in statuses if status != 200)
    assert ended == {"swift": 403, "rclone": 400}[server.name]


def test_conditions_are_heeded_by_swift_only(server: Server) -> None:
    server.call("put_object", Body=b"x")
    refused = "412 PreconditionFailed"
    found = [
        outcome(lambda: status(server.call("get_object", IfMatch=OTHER))),
        outcome(lambda: status(server.call("put_object", Body=b"y", IfNoneMatch="*"))),
    ]
    assert found == {"swift": [refused, refused], "rclone": [200, 200]}[server.name]


def test_browsers_save_an_object_under_the_last_part_of_its_key(server: Server, settings: Settings) -> None:
    store = S3ObjectStore.from_settings(settings)
    store.put("a/b/some rows.csv", b"x", "text/csv", {})
    upload_id = store.begin_multipart("c/rows.csv", "text/csv", {})
    store.complete_multipart("c/rows.csv", upload_id, {1: store.put_part("c/rows.csv", upload_id, 1, b"x")})
    heads = [server.client.head_object(Bucket=server.bucket, Key=key) for key in ("a/b/some rows.csv", "c/rows.csv")]
    assert [head["ContentDisposition"] for head in heads] == [
        "attachment; filename=\"some rows.csv\"; filename*=UTF-8''some%20rows.csv",
        "attachment; filename=\"rows.csv\"; filename*=UTF-8''rows.csv",
    ]


def test_wrong_checksums_are_refused_by_swift_and_wrong_md5_by_both(server: Server) -> None:
    sha256, md5 = (base64.b64encode(b"\0" * length).decode() for length in (32, 16))
    found = [
        outcome(lambda: status(server.call("put_object", Body=b"x", ChecksumSHA256=sha256))),
        outcome(lambda: status(server.call("put_object", Body=b"x", ContentMD5=md5))),
    ]
    refused = "400 BadDigest"
    assert found == {"swift": [refused, refused], "rclone": [200, refused]}[server.name]


@pytest.mark.parametrize(
    "asked", [{"ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/rows"}]
)
def test_encryption_at_rest_is_refused_by_swift_and_only_remembered_by_rclone(
    server: Server, asked: dict[str, str]
) -> None:
    def encrypt() -> object:
        server.call("put_object", Body=b"x", **asked)
        head = server.call("head_object")
        return {name: head[name] for name in asked}

    assert outcome(encrypt) == {"swift": "501 NotImplemented", "rclone": asked}[server.name]


def test_tags_that_are_given_with_an_object_cannot_be_read_from_either(server: Server) -> None:
    def tag() -> object:
        server.call("put_object", Body=b"x", Tagging="task=1")
        return server.call("get_object_tagging")["TagSet"]

    assert outcome(tag) == {"swift": "501 NotImplemented", "rclone": "500 500"}[server.name]
