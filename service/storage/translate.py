"""The one place where the errors of boto3 become Wharf's."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from service.errors import NotFoundError, SourceChangedError, StoreRefusedError, StoreUnavailableError, WharfError

# The answer to HEAD has no body, so its code is the number alone.
_MISSING = {"NoSuchKey", "NoSuchUpload", "404"}
_CHANGED = {"PreconditionFailed", "InvalidRange"}
# Codes with which stores say "later" under a status of the 400s.
_LATER = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "OperationAborted"}
_NETWORK_ERRORS = (HTTPClientError, BotoConnectionError, IncompleteReadError)


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn what boto3 raises into a Wharf error that names `action`; signed URLs and keys stay out of messages."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(action, error) from error
    except _NETWORK_ERRORS as error:
        raise _unavailable(action, type(error).__name__) from error
    except BotoCoreError as error:
        raise _refused(action, type(error).__name__) from error


def code_of(error: ClientError) -> str:
    """The store's own word for what went wrong."""
    return error.response.get("Error", {}).get("Code", "")


def _from_answer(action: str, error: ClientError) -> WharfError:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return NotFoundError(f"The object store has nothing to {action}")
    if code in _CHANGED:
        return SourceChangedError()
    if code in _LATER or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unavailable(action, f"{status} {code}")
    return _refused(action, f"{status} {code}")


def _unavailable(action: str, reason: str) -> StoreUnavailableError:
    return StoreUnavailableError(f"The object store could not {action} ({reason}); it is tried again")


def _refused(action: str, reason: str) -> StoreRefusedError:
    return StoreRefusedError(
        f"The object store refused to {action} ({reason}); check the WHARF_S3_… settings, the bucket and its policy"
    )
