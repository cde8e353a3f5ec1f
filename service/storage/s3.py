"""The object store behind S3's protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from service.config import Settings
from service.errors import NotFoundError, SourceChangedError, StoreRefusedError
from service.storage.disposition import attachment
from service.storage.objects import ObjectHead, OpenMultipart
from service.storage.translate import code_of, translated

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSConfigurationTypeDef, GetObjectOutputTypeDef

# Links carry their own permission, so any page may use them.
_CORS: CORSConfigurationTypeDef = {
    "CORSRules": [
        {
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedOrigins": ["*"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
    ]
}
# How stores without CORS rules answer to one. rclone takes the request for the making of a bucket; it allows every
# origin by itself, except that it asks a browser's preflight request for a signature.
_NO_CORS = {"NotImplemented", "MethodNotAllowed", "BucketAlreadyExists"}
_BUCKET_IS_THERE = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
# The only region that must not be named when a bucket is made.
_DEFAULT_REGION = "us-east-1"


class S3ObjectStore:
    """One bucket, reached through boto3. Make it after a fork: clients share sockets and locks. Threads may share it.

    `signer` makes links for the name by which the store is known outside; `prober` asks once and quickly.
    """

    def __init__(self, bucket: str, client: S3Client, signer: S3Client, prober: S3Client) -> None:
        """Use clients made by `from_settings`; nothing is sent yet."""
        self.bucket = bucket
        self._client = client
        self._signer = signer
        self._prober = prober

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The bucket that the settings name; its links are signed for the public endpoint where there is one."""
        # Shared by the clients because it reads S3's description, some 100 ms of work, once.
        session = boto3.session.Session()
        client = _make_client(session, settings, settings.s3_endpoint, _PATIENT)
        prober = _make_client(session, settings, settings.s3_endpoint, _QUICK)
        public = settings.s3_public_endpoint
        signer = _make_client(session, settings, public, _PATIENT) if public else client
        return cls(settings.s3_bucket, client, signer, prober)

    def check(self) -> None:
        """Ask once, within 2 seconds, whether the bucket can be reached."""
        try:
            with translated(f"answer for the bucket {self.bucket}"):
                self._prober.head_bucket(Bucket=self.bucket)
        except NotFoundError as error:
            message = f"The bucket {self.bucket} does not exist; make it or set WHARF_S3_BUCKET to one that does"
            raise StoreRefusedError(message) from error

    def ensure_bucket(self) -> None:
        """Make the bucket and its CORS rules where they are missing; rules that are there stay."""
        with translated(f"open the bucket {self.bucket}"):
            if not self._has_bucket():
                self._create_bucket()
            self._allow_browsers()

    def put(self, key: str, body: bytes | bytearray, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        """Write a small object in one request."""
        with translated("write an object"):
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,  # type: ignore[arg-type]  # the stubs do not know that boto3 takes a bytearray
                ContentType=content_type,
                Metadata=metadata,
            )
        return ObjectHead(len(body), answer["ETag"], content_type, dict(metadata))

    def head(self, key: str) -> ObjectHead | None:
        """What the store says of an object; None where there is none."""
        try:
            with translated("look at an object"):
                answer = self._client.head_object(Bucket=self.bucket, Key=key)
        except NotFoundError:
            return None
        # rclone capitalises the keys, as HTTP allows.
        metadata = {name.lower(): text for name, text in answer["Metadata"].items()}
        return ObjectHead(answer["ContentLength"], answer["ETag"], answer.get("ContentType", ""), metadata)

    def open_range(self, key: str, start: int, end: int, etag: str | None = None) -> bytes:
        """The bytes from `start` to before `end`, exactly that many; see ObjectStore for what it raises."""
        if start == end:
            return b""
        with translated("read a range"):
            answer = self._get(key, etag, Range=f"bytes={start}-{end - 1}")
            with closing(answer["Body"]) as body:
                content = body.read()
        if len(content) != end - start:
            raise SourceChangedError
        return content

    def stream(self, key: str, block_bytes: int, etag: str | None = None) -> Iterator[bytes]:
        """The whole object in blocks; botocore compares their sum with Content-Length and raises where it is cut."""
        with translated("read an object"):
            body = self._get(key, etag)["Body"]
        with closing(body):
            while block := _read_block(body, block_bytes):
                yield block

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""
        with translated("delete an object"):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def upload_link(self, key: str, seconds: int) -> str:
        """A URL to which anyone may PUT the object's bytes for so long."""
        return self._sign("put_object", key, seconds)

    def download_link(self, key: str, seconds: int, file_name: str) -> str:
        """A URL from which anyone may GET the object for so long, saved by browsers as `file_name`."""
        return self._sign("get_object", key, seconds, ResponseContentDisposition=attachment(file_name))

    def begin_multipart(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """Begin an upload in parts; returns its id."""
        with translated("begin an upload"):
            answer = self._client.create_multipart_upload(
                Bucket=self.bucket, Key=key, ContentType=content_type, Metadata=metadata
            )
        return answer["UploadId"]

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
        """Upload part `number` (from 1); returns its ETag."""
        with translated("write a part"):
            answer = self._client.upload_part(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=body,  # type: ignore[arg-type]  # as in `put`
            )
        return answer["ETag"]

    def complete_multipart(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Make the object of parts 1, 2, … with these ETags; raises NotFoundError for an upload no longer open."""
        with translated("complete an upload"):
            self._client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={
                    "Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
                },
            )

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; nothing happens where it is not open."""
        try:
            with translated("abort an upload"):
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except NotFoundError:
            return

    def list_multiparts(self, prefix: str) -> Iterator[OpenMultipart]:
        """The open uploads whose keys begin with `prefix`."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix)
        try:
            with translated("list uploads"):
                found = [upload for page in pages for upload in page.get("Uploads", [])]
        except NotFoundError:
            # So rclone answers for a bucket that never had an upload.
            return
        for upload in found:
            yield OpenMultipart(upload["Key"], upload["UploadId"], upload["Initiated"])

    def _get(self, key: str, etag: str | None, **options: Any) -> GetObjectOutputTypeDef:
        """An object's answer, which is the one that had `etag`: If-Match is not enough, since rclone ignores it."""
        condition: dict[str, Any] = {} if etag is None else {"IfMatch": etag}
        answer = self._client.get_object(Bucket=self.bucket, Key=key, **condition, **options)
        if etag is not None and answer["ETag"] != etag:
            answer["Body"].close()
            raise SourceChangedError
        return answer

    def _sign(self, operation: str, key: str, seconds: int, **options: str) -> str:
        with translated("sign a link"):
            return self._signer.generate_presigned_url(
                operation, Params={"Bucket": self.bucket, "Key": key, **options}, ExpiresIn=seconds
            )

    def _has_bucket(self) -> bool:
        try:
            self._client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if code_of(error) == "404":
                return False
            raise
        return True

    def _create_bucket(self) -> None:
        """Make the bucket; when another process is first, it must be a bucket that we may use."""
        region = self._client.meta.region_name
        place: Any = {} if region == _DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._client.create_bucket(Bucket=self.bucket, **place)
        except ClientError as error:
            if code_of(error) not in _BUCKET_IS_THERE:
                raise
            self._client.head_bucket(Bucket=self.bucket)

    def _allow_browsers(self) -> None:
        try:
            if not self._has_cors():
                self._client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration=_CORS)
        except ClientError as error:
            if code_of(error) not in _NO_CORS:
                raise

    def _has_cors(self) -> bool:
        try:
            return bool(self._client.get_bucket_cors(Bucket=self.bucket).get("CORSRules"))
        except ClientError as error:
            if code_of(error) != "NoSuchCORSConfiguration":
                raise
            return False


def _read_block(body: StreamingBody, block_bytes: int) -> bytes:
    with translated("read an object"):
        return body.read(block_bytes)


# 4 tries with back-off ride out a restart of the store; what lasts longer is the task's own retry.
_PATIENT = {"connect_timeout": 5, "read_timeout": 60, "retries": {"mode": "standard", "total_max_attempts": 4}}
# A readiness probe must answer before the prober's own limit.
_QUICK = {"connect_timeout": 2, "read_timeout": 2, "retries": {"mode": "standard", "total_max_attempts": 1}}


def _is_protected(endpoint: str | None) -> bool:
    """Whether bytes reach `endpoint` by TLS or inside this machine; AWS itself (None) is reached by TLS."""
    parts = urlsplit(endpoint or "https://")
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "::1", "localhost"}


def _make_client(
    session: boto3.session.Session, settings: Settings, endpoint: str | None, patience: Mapping[str, Any]
) -> S3Client:
    """A client; credentials that are not set are looked for where AWS keeps them (profile, instance role)."""
    config = Config(
        # The only signature that every store accepts, in links too.
        signature_version="s3v4",
        # Buckets as a path instead of a host name, which needs DNS entries of its own.
        # Bodies are signed too, one more SHA-256 of every byte on both sides (a third of the speed), except where
        # nobody can change them on their way.
        s3={
            "addressing_style": "path" if settings.s3_path_style else "auto",
            "payload_signing_enabled": not _is_protected(endpoint),
        },
        # boto3 otherwise adds CRC trailers, which many stores do not know; our own SHA-256 covers the whole object.
        request_checksum_calculation="when_required",
        # rclone sends the whole object's checksum with a range of it, which then never fits.
        response_checksum_validation="when_required",
        # One for each thread of a web process, and one for the part in flight of a worker.
        max_pool_connections=max(10, settings.web_threads),
        # NAT gateways and load balancers forget silent connections.
        tcp_keepalive=True,
        **patience,
    )
    return session.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key,
        config=config,
    )
