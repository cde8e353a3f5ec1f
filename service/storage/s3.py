"""The object store behind S3's protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from service.config import Settings
from service.errors import NotFoundError, SourceChangedError, StoreRefusedError
from service.storage.clients import OUR_REMEDY, BucketAccess, ServerEncryption, make_client, make_session
from service.storage.disposition import attachment
from service.storage.objects import ObjectHead, OpenMultipart
from service.storage.sessions import Keys
from service.storage.translate import code_of, translated

if TYPE_CHECKING:
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
#: Of a thousand uploads each.
_LIST_PAGES_MAX = 100
# The only region that must not be named when a bucket is made.
_DEFAULT_REGION = "us-east-1"


class S3ObjectStore:
    """One bucket, reached through boto3. Make it after a fork: clients share sockets and locks. Threads may share it.

    `signer` makes links for the name by which the store is known outside; `prober` asks once and quickly. What is
    written is encrypted as `encryption` asks. When the store refuses, `refusal` is the error that says so, and tells to
    look at `remedy` and at the bucket.
    """

    def __init__(
        self,
        bucket: str,
        client: S3Client,
        signer: S3Client,
        prober: S3Client,
        *,
        encryption: ServerEncryption | None = None,
        remedy: str = OUR_REMEDY,
        refusal: type[StoreRefusedError] = StoreRefusedError,
    ) -> None:
        """Use clients made by `open`; nothing is sent yet."""
        self.bucket = bucket
        self._client = client
        self._signer = signer
        self._prober = prober
        self._encryption = (encryption or ServerEncryption()).headers()
        self._remedy = f"{remedy}, the bucket {bucket} and its policy"
        self._refusal = refusal

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The bucket that the settings name; its links are signed for the public endpoint where there is one."""
        key_id, secret = settings.s3_access_key_id, settings.s3_secret_access_key
        return cls.open(
            BucketAccess(
                bucket=settings.s3_bucket,
                region=settings.s3_region,
                endpoint=settings.s3_endpoint,
                public_endpoint=settings.s3_public_endpoint,
                is_probed=True,
                path_style=settings.s3_path_style,
                keys=Keys(key_id, secret) if key_id and secret else None,
                connections=max(10, settings.web_threads),
            )
        )

    @classmethod
    def open(cls, access: BucketAccess) -> Self:
        """The bucket that `access` leads to; nothing is sent yet, except to STS where a role is to be assumed."""
        session = make_session(access)
        client = make_client(session, access, access.endpoint, access.patience)
        prober = make_client(session, access, access.endpoint, "quick") if access.is_probed else client
        public = access.public_endpoint
        signer = make_client(session, access, public, access.patience) if public else client
        return cls(
            access.bucket,
            client,
            signer,
            prober,
            encryption=access.encryption,
            remedy=access.remedy,
            refusal=access.refusal,
        )

    def check(self) -> None:
        """Ask once, within 2 seconds, whether the bucket can be reached."""
        try:
            with self._translated(f"answer for the bucket {self.bucket}"):
                self._prober.head_bucket(Bucket=self.bucket)
        except NotFoundError as error:
            message = f"The bucket {self.bucket} does not exist; make it or set WHARF_S3_BUCKET to one that does"
            raise StoreRefusedError(message) from error

    def ensure_bucket(self) -> None:
        """Make the bucket and its CORS rules where they are missing; rules that are there stay."""
        with self._translated(f"open the bucket {self.bucket}"):
            if not self._has_bucket():
                self._create_bucket()
            self._allow_browsers()

    def put(self, key: str, body: bytes | bytearray, content_type: str, metadata: Mapping[str, str]) -> ObjectHead:
        """Write a small object in one request."""
        with self._translated("write an object"):
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,  # type: ignore[arg-type]  # the stubs do not know that boto3 takes a bytearray
                **self._describe(key, content_type, metadata),
            )
            encryption = answer.get("ServerSideEncryption", "")
            return ObjectHead(len(body), answer["ETag"], content_type, dict(metadata), encryption)

    def head(self, key: str) -> ObjectHead | None:
        """What the store says of an object; None where there is none."""
        try:
            with self._translated("look at an object"):
                answer = self._client.head_object(Bucket=self.bucket, Key=key)
                # rclone capitalises the keys, as HTTP allows.
                metadata = {name.lower(): text for name, text in answer["Metadata"].items()}
                encryption, content_type = answer.get("ServerSideEncryption", ""), answer.get("ContentType", "")
                return ObjectHead(answer["ContentLength"], answer["ETag"], content_type, metadata, encryption)
        except NotFoundError:
            return None

    def open_range(self, key: str, start: int, end: int, etag: str | None = None) -> bytes:
        """The bytes from `start` to before `end`, exactly that many; see ObjectStore for what it raises."""
        if start == end:
            return b""
        with self._translated("read a range"):
            answer = self._get(key, etag, Range=f"bytes={start}-{end - 1}")
            with closing(answer["Body"]) as body:
                # One more than there should be: a server that sends more is not read to its end.
                content = body.read(end - start + 1)
        if len(content) != end - start:
            raise SourceChangedError
        return content

    def stream(self, key: str, block_bytes: int, etag: str | None = None) -> Iterator[bytes]:
        """The whole object in blocks; botocore compares their sum with Content-Length and raises where it is cut."""
        with self._translated("read an object"):
            body = self._get(key, etag)["Body"]
        with closing(body):
            while True:
                with self._translated("read an object"):
                    block = body.read(block_bytes)
                if not block:
                    return
                yield block

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""
        with self._translated("delete an object"):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def upload_link(self, key: str, seconds: int) -> str:
        """A URL to which anyone may PUT the object's bytes for so long."""
        return self._sign("put_object", key, seconds)

    def download_link(self, key: str, seconds: int, file_name: str) -> str:
        """A URL from which anyone may GET the object for so long, saved by browsers as `file_name`."""
        return self._sign("get_object", key, seconds, ResponseContentDisposition=attachment(file_name))

    def begin_multipart(self, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """Begin an upload in parts; returns its id."""
        with self._translated("begin an upload"):
            answer = self._client.create_multipart_upload(
                Bucket=self.bucket, Key=key, **self._describe(key, content_type, metadata)
            )
            return answer["UploadId"]

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> str:
        """Upload part `number` (from 1); returns its ETag."""
        with self._translated("write a part"):
            answer = self._client.upload_part(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=body,  # type: ignore[arg-type]  # as in `put`
            )
            return answer["ETag"]

    def complete_multipart(self, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
        """Make the object of these parts; see ObjectStore."""
        with self._translated("complete an upload"):
            self._client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={
                    "Parts": [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
                },
            )

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; nothing happens where it is not open."""
        try:
            with self._translated("abort an upload"):
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except NotFoundError:
            return

    def list_multiparts(self, prefix: str) -> Iterator[OpenMultipart]:
        """The open uploads whose keys begin with `prefix`."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix)
        try:
            with self._translated("list uploads"):
                found = [
                    OpenMultipart(upload["Key"], upload["UploadId"], upload["Initiated"])
                    # A server that never comes to an end holds nobody for ever.
                    for page in islice(pages, _LIST_PAGES_MAX)
                    for upload in page.get("Uploads", [])
                ]
        except NotFoundError:
            # So rclone answers for a bucket that never had an upload.
            return
        yield from found

    def _describe(self, key: str, content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        """What is told of an object when it is written; browsers save it under the last part of its key."""
        disposition = attachment(key.rpartition("/")[2])
        described = {"ContentType": content_type, "ContentDisposition": disposition, "Metadata": metadata}
        return {**described, **self._encryption}

    def _translated(self, action: str) -> AbstractContextManager[None]:
        return translated(action, self._remedy, self._refusal)

    def _get(self, key: str, etag: str | None, **options: Any) -> GetObjectOutputTypeDef:
        """An object's answer, which is the one that had `etag`: If-Match is not enough, since rclone ignores it."""
        condition: dict[str, Any] = {} if etag is None else {"IfMatch": etag}
        answer = self._client.get_object(Bucket=self.bucket, Key=key, **condition, **options)
        if etag is not None and answer["ETag"] != etag:
            answer["Body"].close()
            raise SourceChangedError
        return answer

    def _sign(self, operation: str, key: str, seconds: int, **options: str) -> str:
        with self._translated("sign a link"):
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
