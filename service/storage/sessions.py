"""The session of boto3 that clients are made with, and the keys that they are given."""

from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

import boto3

#: Held while a client is made: sessions are not for several threads.
one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair as stores give them, the token of temporary ones with it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@cache
def shared_session() -> boto3.session.Session:
    """One for the process, since each reads S3's description anew: a tenth of a second, where a client takes 7 ms."""
    return boto3.session.Session()


def as_arguments(keys: Keys | None) -> dict[str, Any]:
    """The keys as clients are given them; without any, AWS's own places are searched."""
    if keys is None:
        return {}
    return {
        "aws_access_key_id": keys.access_key_id,
        "aws_secret_access_key": keys.secret_access_key,
        "aws_session_token": keys.session_token,
    }
