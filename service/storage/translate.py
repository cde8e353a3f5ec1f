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
from botocore.parsers import ResponseParserError

from service.errors import NotFoundError, SourceChangedError, StoreRefusedError, StoreUnavailableError, WharfError

# The answer to HEAD has no body, so its code is the number alone.
_MISSING = {"NoSuchKey", "NoSuchUpload", "404"}
_CHANGED = {"PreconditionFailed", "InvalidRange"}
# Codes with which stores say "later" under a status of the 400s.
_LATER = {"InvalidPart", "RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "OperationAborted"}
_NETWORK_ERRORS = (HTTPClientError, BotoConnectionError, IncompleteReadError)


@contextmanager
def translated(action: str, remedy: str, refusal: type[StoreRefusedError] = StoreRefusedError) -> Iterator[None]:
    """Turn what boto3 raises into a Wharf error that names `action`; signed URLs and keys stay out of messages.

    `remedy` says what to look at when the store refuses, and `refusal` whose move that is.
    """
    try:
        yield
    except ClientError as error:
        raise _from_answer(action, error) or refusal(_refused(action, _reason(error), remedy)) from error
    except _NETWORK_ERRORS as error:
        raise _unavailable(action, type(error).__name__) from error
    except (BotoCoreError, ResponseParserError, KeyError) as error:
        # The last two: an answer that is not S3's.
        raise refusal(_refused(action, type(error).__name__, remedy)) from error


def code_of(error: ClientError) -> str:
    """The store's own word for what went wrong."""
    return error.response.get("Error", {}).get("Code", "")


def _from_answer(action: str, error: ClientError) -> WharfError | None:
    """The error that an answer means; None where the store refused for good."""
    code = code_of(error)
    status = _status_of(error)
    if code in _MISSING:
        return NotFoundError(f"The object store has nothing to {action}")
    if code in _CHANGED:
        return SourceChangedError()
    is_broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    if code in _LATER or status == HTTPStatus.TOO_MANY_REQUESTS or is_broken:
        return _unavailable(action, _reason(error))
    return None


def _unavailable(action: str, reason: str) -> StoreUnavailableError:
    return StoreUnavailableError(f"The object store could not {action} ({reason}); it is tried again")


def _refused(action: str, reason: str, remedy: str) -> str:
    return f"The object store refused to {action} ({reason}); {remedy}"


def _reason(error: ClientError) -> str:
    return f"{_status_of(error)} {code_of(error)}"


def _status_of(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
