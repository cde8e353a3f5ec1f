"""Places in buckets as callers write them: `s3://bucket/key`, and the prefixes of keys."""

import re
from dataclasses import dataclass

from service.errors import ValidationError

# Stores of others than AWS allow more than AWS does.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_KEY_MAX_BYTES = 1024
#: Room for what is put after a prefix: tenant, environment, entity, task.
_PREFIX_MAX_BYTES = 512
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

BUCKET_RULE = "3 to 63 letters, digits, dots, hyphens and underscores"
PREFIX_RULE = f"at most {_PREFIX_MAX_BYTES} bytes of UTF-8, no control characters, and no empty, '.' or '..' part"


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and what stands behind it: a key, a prefix or nothing."""

    bucket: str
    path: str

    @property
    def url(self) -> str:
        """As callers write it."""
        return f"s3://{self.bucket}/{self.path}"


def is_place(url: str) -> bool:
    """Whether a `file_url` means a bucket instead of a link."""
    return url.strip().lower().startswith("s3://")


def read_place(url: str) -> Place:
    """The place that a `file_url` names; raises ValidationError in the words of the contract."""
    scheme, bucket, path = re.fullmatch(r"(s3://)?([^/]*)/?(.*)", url.strip(), re.DOTALL | re.IGNORECASE).groups()  # type: ignore[union-attr]  # it always matches
    if not scheme:
        raise ValidationError("File URL must start with s3://", file_url=[f"{url!r:.150} does not."])
    if not is_bucket(bucket):
        message = "File URL must be in format s3://bucket/key"
        raise ValidationError(message, file_url=[f"{bucket!r:.100} is no bucket: it has {BUCKET_RULE}."])
    return Place(bucket, path)


def is_bucket(name: str) -> bool:
    """Whether a bucket may be called so."""
    return _BUCKET.fullmatch(name) is not None


def is_key(path: str) -> bool:
    """Whether an object can have this key, and clients that tidy up paths leave it alone."""
    return 0 < len(path.encode("utf-8", "surrogatepass")) <= _KEY_MAX_BYTES and _is_clean(path.split("/"))


def as_prefix(path: str) -> str | None:
    """The prefix as it is put before keys: "" or ending in `/`, without one at its start; None for what cannot be."""
    inner = path.removeprefix("/").removesuffix("/")
    if path in {"", "/"}:
        return ""
    if len(inner.encode("utf-8", "surrogatepass")) > _PREFIX_MAX_BYTES or not _is_clean(inner.split("/")):
        return None
    return f"{inner}/"


def _is_clean(parts: list[str]) -> bool:
    return all(part not in {"", ".", ".."} and not _CONTROL.search(part) for part in parts)
